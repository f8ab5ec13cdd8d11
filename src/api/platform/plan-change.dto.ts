import { ApiProperty } from '@nestjs/swagger';
import { IsDefined, Matches } from 'class-validator';
import { PriceResource } from './resources.js';

/** `PATCH /apps/:app/addons/:addon`. */
export class ChangePlanBody {
  /** `service:plan`, the plan's own name, its id, or an object with one of them as its `name`. */
  @ApiProperty({
    oneOf: [
      { type: 'string', example: 'souk-postgresql:essential-1' },
      { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
    ],
  })
  @IsDefined({ message: 'plan is missing: send "service:plan"' })
  plan!: unknown;
}

/** `GET /addons/:addon/plan-change-quote`. */
export class PlanChangeQuoteQuery {
  /** `service:plan`, the plan's own name, or its id. */
  @Matches(/^.{1,300}$/, { message: 'plan must be given: add ?plan=service:plan, of at most 300 characters' })
  plan!: string;
}

/** What a month costs more; below zero: less. */
export class PriceDifferenceResource {
  cents!: number;
  unit!: string;
  currency!: string;
}

/** Souk's own: what a plan change would bring. */
export class PlanChangeQuoteResource {
  addon!: object;
  from!: object;
  to!: object;
  /** `upgrade`, `downgrade`, or `same` where there is nothing to change. */
  direction!: string;
  /** What is paid now. */
  current_price!: PriceResource;
  /** What is paid from the moment on at which the provider confirms the change. */
  new_price!: PriceResource;
  /** null where the currencies differ. */
  price_difference!: PriceDifferenceResource | null;
  /** Apps that get a release, and should restart, if the provider sends new config values. */
  restarts!: object;
  /** The middle one of this provider's newest changes, in seconds; null where it made none. */
  expected_seconds!: number | null;
  /** From how many of its changes that was taken, 50 at most. */
  expected_from_changes!: number;
}
