import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsObject, IsOptional, IsString, MaxLength } from 'class-validator';

/** `POST /addons/:addon/actions/:name`. */
export class RunActionBody {
  /** As the action's schema has them; left out: none. */
  @ApiPropertyOptional({ type: 'object', additionalProperties: true, example: { path: '/' } })
  @IsOptional()
  @IsObject()
  params?: Record<string, unknown>;

  /** The name of the add-on, where the action has to be confirmed. */
  @IsOptional()
  @IsString()
  @MaxLength(200)
  confirm?: string;
}

/** Souk's own: what customers can have done to an add-on. */
export class ActionResource {
  name!: string;
  title!: string;
  description!: string;
  /** `command`, or `query` where it changes nothing. */
  kind!: string;
  /** Whether a run must name the add-on as `confirm`. */
  confirm!: boolean;
  /** JSON Schema of `params`. */
  params!: object;
  /** JSON Schema of the result; null: whatever the provider says. */
  result!: object | null;
}

/** Souk's own: one run of an action. */
export class ActionRunResource {
  id!: string;
  action!: object;
  addon!: object;
  /** `pending`, `succeeded` or `failed`. */
  state!: string;
  /** What the provider gave; null where it gave nothing, or has not yet. */
  @ApiProperty({ nullable: true, type: 'object', additionalProperties: true })
  result!: unknown;
  /** The provider's words, or why the run failed. */
  message!: string | null;
  actor!: object;
  created_at!: string;
  finished_at!: string | null;
}
