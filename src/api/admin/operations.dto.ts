import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsOptional, IsString, MaxLength, MinLength } from 'class-validator';
import type { OperationState, OperationType } from '../../provisioning/operation.machine.js';
import { PlainText } from '../shared/plain-text.js';

const STATES: (OperationState | 'open')[] = [
  'open',
  'queued',
  'calling',
  'unsure',
  'waiting',
  'cleaning',
  'reverting',
  'succeeded',
  'failed',
];
const FLAGS = ['true', 'false'] as const;

/** `GET /admin/operations`. */
export class OperationsQuery {
  /** A state; `open` for every operation that has not ended. */
  @ApiPropertyOptional({ enum: STATES })
  @IsOptional()
  @IsIn(STATES)
  state?: OperationState | 'open';

  /** `provision`, `deprovision`, … */
  @IsOptional()
  @IsString()
  @MaxLength(40)
  type?: OperationType;

  /** Name or id of the add-on service. */
  @IsOptional()
  @IsString()
  @MaxLength(200)
  service?: string;

  /** Name or id of the app. */
  @IsOptional()
  @IsString()
  @MaxLength(200)
  app?: string;

  /** Name or id of the add-on. */
  @IsOptional()
  @IsString()
  @MaxLength(200)
  addon?: string;

  /** `true`: only those that are open for more than 15 minutes. */
  @ApiPropertyOptional({ enum: FLAGS })
  @IsOptional()
  @IsIn(FLAGS)
  late?: 'true' | 'false';

  /** `true`: only those whose time has come more than a minute ago, and which no worker takes. */
  @ApiPropertyOptional({ enum: FLAGS })
  @IsOptional()
  @IsIn(FLAGS)
  stuck?: 'true' | 'false';
}

/** Every intervention says why; the audit trail keeps it. */
export class ReasonBody {
  @IsString()
  @MinLength(3)
  @MaxLength(500)
  @PlainText()
  reason!: string;
}

/** `POST /admin/operations/:operation/abandon`. */
export class AbandonBody {
  /** Why; the audit trail keeps it. */
  @IsString()
  @MinLength(3)
  @MaxLength(500)
  @PlainText()
  reason!: string;

  /** End a delete or a clean-up that the provider has not confirmed. It leaves a finding. */
  @IsOptional()
  @IsBoolean()
  without_confirmation?: boolean;
}

const FINDING_STATES = ['open', 'resolved', 'all'] as const;

/** `GET /admin/findings`. */
export class FindingsQuery {
  /** `open` where it is left out. */
  @ApiPropertyOptional({ enum: FINDING_STATES })
  @IsOptional()
  @IsIn(FINDING_STATES)
  state?: 'open' | 'resolved' | 'all';
}

/** `POST /admin/pauses`: one of service, plan and region. */
export class PauseBody {
  /** Name or id of the add-on service whose provider is paused. */
  @IsOptional()
  @IsString()
  @MaxLength(200)
  service?: string;

  /** `service:plan`, or a plan's id. */
  @IsOptional()
  @IsString()
  @MaxLength(200)
  plan?: string;

  /** Name or id of a region. */
  @IsOptional()
  @IsString()
  @MaxLength(200)
  region?: string;

  /** Why. Customers read it. */
  @IsString()
  @MinLength(3)
  @MaxLength(300)
  @PlainText()
  reason!: string;
}
