import { Inject, Injectable } from '@nestjs/common';
import type { Addon } from '../addons/addon.entity.js';
import { neutralise } from '../addons/addon.js';
import { AddonRepository } from '../addons/addon.repository.js';
import { IssueGrant } from '../addons/grants/commands/issue-grant.js';
import { findRegion } from '../apps/regions.js';
import { CatalogRepository } from '../catalog/catalog.repository.js';
import { CONFIG, type Config } from '../kernel/config.js';
import { Database } from '../kernel/db/database.js';
import { Metrics } from '../kernel/metrics.js';
import { ProviderClient } from './clients/provider-client.js';
import { judgePartnerCleaning, judgePartnerDeprovision, judgePartnerProvision } from './judge-partner.js';
import type { Operation } from './operation.entity.js';
import type { OperationEvent } from './operation.machine.js';
import { messageOf, parseProvisionAnswer, providerIdOf, type ProvisionAnswer, type Reply } from './reply.js';

export type CallName = 'provision' | 'deprovision' | 'clean';

/** One call's verdict, with what is worth keeping of the answer. */
export interface Outcome {
  call: CallName;
  event: OperationEvent;
  status: number | null;
  /** For the operator: why there was no verdict, or what a refusal said. */
  detail: string | null;
  answer: ProvisionAnswer | null;
  /** The id that a success named, also one that is no whole answer: what it made is cleaned up under this. */
  providerId: string | null;
  /** The provider's own words for the customer, made harmless. */
  message: string | null;
}

/** Makes the call that an operation needs now, holding no transaction, and judges the reply. */
@Injectable()
export class ProviderCalls {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly db: Database,
    private readonly addons: AddonRepository,
    private readonly catalog: CatalogRepository,
    private readonly issueGrant: IssueGrant,
    private readonly client: ProviderClient,
    private readonly metrics: Metrics,
  ) {}

  async make(operation: Operation): Promise<Outcome> {
    const addon = await this.addons.get(this.db.manager, operation.addonId);
    const call: CallName = operation.state === 'cleaning' ? 'clean' : operation.type;
    const stop = this.metrics.providerCalls.startTimer({ service: addon.plan.addonService.name, call });
    const outcome = call === 'provision' ? await this.provision(addon) : await this.remove(addon, call);
    stop({ verdict: outcome.event });
    return outcome;
  }

  private async provision(addon: Addon): Promise<Outcome> {
    const service = addon.plan.addonService;
    const access = await this.catalog.access(this.db.manager, service.providerId);
    const reply = await this.client.provision(access, {
      uuid: addon.id,
      name: addon.name,
      plan: addon.plan.slug,
      region: findRegion(addon.region)?.cloudName ?? addon.region,
      options: this.addons.optionsOf(addon),
      callbackUrl: `${this.config.publicUrl}/addons/${addon.id}`,
      grant: await this.issueGrant.run(addon.id),
    });
    const answer = reply.kind === 'answered' ? parseProvisionAnswer(reply.body, service.configVars) : null;
    return outcomeOf('provision', judgePartnerProvision(reply, answer !== null), reply, answer);
  }

  private async remove(addon: Addon, call: 'deprovision' | 'clean'): Promise<Outcome> {
    const access = await this.catalog.access(this.db.manager, addon.plan.addonService.providerId);
    // Without an id of the provider's own, the uuid is the one name that both sides know.
    const reply = await this.client.deprovision(access, addon.providerId ?? addon.id);
    const judge = call === 'clean' ? judgePartnerCleaning : judgePartnerDeprovision;
    return outcomeOf(call, judge(reply), reply, null);
  }
}

function outcomeOf(
  call: CallName,
  event: OperationEvent,
  reply: Reply,
  answer: ProvisionAnswer | null,
): Outcome {
  const message = reply.kind === 'answered' ? neutralise(messageOf(reply.body)) : null;
  return {
    call,
    event,
    status: reply.kind === 'answered' ? reply.status : null,
    detail: detailOf(event, reply, message),
    answer,
    providerId:
      call === 'provision' && reply.kind === 'answered' && isSuccess(reply.status)
        ? providerIdOf(reply.body)
        : null,
    message,
  };
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function detailOf(event: OperationEvent, reply: Reply, message: string | null): string | null {
  if (reply.kind === 'unanswered') return reply.why;
  if (event === 'refused') return message ?? `the provider refused with status ${reply.status}`;
  if (event !== 'unknown') return null;
  if (isSuccess(reply.status))
    return `status ${reply.status}, but the body is not an answer: it needs an id, and config vars that the manifest declares`;
  return `status ${reply.status}${message === null ? '' : `: ${message}`}`;
}
