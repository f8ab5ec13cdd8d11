import type { IssuedGrant } from '../../addons/grants/commands/issue-grant.js';
import type { ProviderAccess } from '../../catalog/catalog.repository.js';
import type { Reply } from '../reply.js';

export interface ProvisionCall {
  uuid: string;
  name: string;
  /** Without the service's prefix. */
  plan: string;
  /** In the cloud's form, `amazon-web-services::us-east-1`. */
  region: string;
  options: Record<string, string>;
  callbackUrl: string;
  grant: IssuedGrant;
}

/** A run of an action. */
export interface ActionCall {
  id: string;
  params: Record<string, unknown>;
}

/** How a provider is spoken to. Never throws: what went wrong on the way is a reply too. */
export abstract class ProviderClient {
  abstract provision(access: ProviderAccess, call: ProvisionCall): Promise<Reply>;
  /** `plan` without the service's prefix; `id` as for a deprovision. */
  abstract changePlan(access: ProviderAccess, id: string, plan: string): Promise<Reply>;
  /** `run.id` names the run: asked for again, it is the same one. `id` as for a deprovision. */
  abstract runAction(access: ProviderAccess, id: string, name: string, run: ActionCall): Promise<Reply>;
  /** `id`: as the provider gave it, or the add-on's uuid while none is known. */
  abstract deprovision(access: ProviderAccess, id: string): Promise<Reply>;
  /** A page of what the provider holds, from a cursor of the page before (Souk's extension, docs/provider.md). */
  abstract inventory(access: ProviderAccess, cursor: string | null): Promise<Reply>;
}
