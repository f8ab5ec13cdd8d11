import type { Queryable } from './database.js';

/** `deleted` is a tombstone: it is never left, and its uuid never names a resource again. */
export type ResourceState = 'creating' | 'ready' | 'deleting' | 'deleted';

/** What the platform asked for. */
export interface ProvisionRequest {
  uuid: string;
  name: string | null;
  plan: string;
  region: string | null;
  options: Record<string, string>;
  platform: PlatformFacts;
}

/** What a provision says about the way back to the platform. Holds secrets. */
export interface PlatformFacts {
  callbackUrl: string | null;
  /** Good for one exchange, for about five minutes. */
  grant: { code: string; expiresAt: string } | null;
  /** Where lines for the app's log go. */
  logInputUrl: string | null;
  /** What the frames of a log drain name as their origin. */
  logDrainToken: string | null;
}

/** What an engine decides about a resource before it builds anything; stored first, so that every repeat agrees. */
export interface Draft {
  /** Names and other things that are no secret. */
  facts: Record<string, string>;
  /** Passwords; stored encrypted. */
  secrets: Record<string, string>;
}

/** A resource that has, or may have, something in the engine. */
export interface Resource extends Draft {
  uuid: string;
  plan: string;
  region: string | null;
  state: Exclude<ResourceState, 'deleted'>;
}

/** A row of the inventory. */
export interface ListedResource {
  id: string;
  uuid: string;
  plan: string;
  state: Exclude<ResourceState, 'deleted'>;
}

/**
 * How a provider's resources are made. Every method can be repeated after it was cut off anywhere: what is there is
 * taken as it is, what is missing is made, what is half gone is finished. One resource has one call at a time.
 */
export interface Engine {
  /** Plan slugs, the default first. */
  readonly plans: string[];
  /** Decides names and secrets; touches nothing. */
  draft(request: ProvisionRequest): Draft;
  /** Throws a 422 `ProviderError` where a new resource cannot be had; asked in the transaction that stores the intent. */
  admit?(tx: Queryable, request: ProvisionRequest): Promise<void>;
  create(resource: Resource): Promise<void>;
  /** Throws a 422 `ProviderError` where the resource does not fit the plan; nothing is changed then. */
  resize(resource: Resource, plan: string): Promise<void>;
  destroy(resource: Resource): Promise<void>;
  /** The config vars of a resource that was created. */
  credentials(resource: Resource): Record<string, string>;
  /** One sentence for the customer about a resource on this plan. */
  describe(plan: string): string;
}

/** What a provider is asked beyond the Partner API itself; each is optional. */
export interface EngineExtras {
  /** Makes resources after answering, and reports when they are ready. */
  asynchronous?: boolean;
  /** Where an app's log goes, when the manifest asks for it: an answer's `log_drain_url`. */
  logDrainUrl?(resource: Resource): string;
}
