/** What the operator's routes answer with; the classes also describe them in the OpenAPI document. */
export class OperationResource {
  id!: string;
  type!: string;
  state!: string;
  addon!: object;
  app!: object;
  service!: string;
  plan!: string;
  /** The plan that a plan change leads to; null for other operations. */
  target_plan!: string | null;
  region!: string;
  /** How many calls were begun. */
  attempt!: number;
  /** `paused` or `circuit`, while something keeps the next call; null: nothing does. */
  held_by!: string | null;
  next_attempt_at!: string;
  deadline_at!: string;
  /** Until when a worker is at it. */
  lease_until!: string | null;
  actor!: string;
  last_error!: string | null;
  customer_message!: string | null;
  abandoned_at!: string | null;
  created_at!: string;
  updated_at!: string;
  finished_at!: string | null;
}

export class OperationAttemptResource {
  attempt!: number;
  call!: string;
  verdict!: string;
  status!: number | null;
  detail!: string | null;
  /** What was sent, masked and bounded. */
  request!: object | null;
  /** What came back, masked and bounded. */
  reply!: object | null;
  began_at!: string;
  ended_at!: string;
}

export class OperationHistoryResource extends OperationResource {
  /** The calls, newest first; at most 200. */
  attempts!: OperationAttemptResource[];
}

export class FindingResource {
  id!: string;
  kind!: string;
  /** Null for an orphan. */
  addon!: object | null;
  /** Of an orphan or a phantom: who it is about, and the provider's own name of an orphan. */
  provider!: object | null;
  /** What the difference costs somebody each month; null: not known. */
  monthly_cost!: object | null;
  /** The removal of an orphan, once it was asked for. */
  removal!: object | null;
  detail!: string;
  created_at!: string;
  resolved_at!: string | null;
  /** Who closed it; null: nobody, or Souk itself. */
  resolved_by!: string | null;
  resolution!: string | null;
}

export class PauseResource {
  id!: string;
  /** `provider`, `plan` or `region`. */
  scope!: string;
  target!: string;
  reason!: string;
  paused_by!: string;
  created_at!: string;
  resumed_by!: string | null;
  resumed_at!: string | null;
}

export class ProviderResource {
  id!: string;
  service!: string;
  bundled!: boolean;
  /** `closed`: it is called. `open`: it does not answer. `half_open`: one call tries. */
  circuit!: string;
  circuit_opened_at!: string | null;
  /** When the next call may be tried. */
  circuit_probe_at!: string | null;
  /** Why it is paused; null: it is not. */
  paused!: string | null;
  operations!: object;
}
