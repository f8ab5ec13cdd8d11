import assert from 'node:assert/strict';
import { Inject, Injectable } from '@nestjs/common';
import type { Addon } from '../addons/addon.entity.js';
import { neutralise } from '../addons/addon.js';
import { AddonRepository } from '../addons/addon.repository.js';
import { IssueGrant } from '../addons/grants/commands/issue-grant.js';
import { findRegion } from '../apps/regions.js';
import type { Plan } from '../catalog/catalog.entity.js';
import { CatalogRepository } from '../catalog/catalog.repository.js';
import { CONFIG, type Config } from '../kernel/config.js';
import { Database, type Tx } from '../kernel/db/database.js';
import { Metrics } from '../kernel/metrics.js';
import { parseActionAnswer, type ActionAnswer } from './actions/action-answer.js';
import { ActionRunRepository } from './actions/action-run.repository.js';
import { judgePartnerAction } from './actions/judge-partner-action.js';
import { CallGate, type Hold } from './call-gate.js';
import { ProviderClient } from './clients/provider-client.js';
import { judgePartnerCleaning, judgePartnerDeprovision, judgePartnerProvision } from './judge-partner.js';
import { judgePartnerPlanChange, judgePartnerRevert } from './judge-partner-plan-change.js';
import { maskMessage, maskReply, maskRequest } from './mask.js';
import type { Operation } from './operation.entity.js';
import type { OperationEvent, OperationState } from './operation.machine.js';
import { parsePlanChangeAnswer, type PlanChangeAnswer } from './plan-change-answer.js';
import { messageOf, parseProvisionAnswer, providerIdOf, type ProvisionAnswer, type Reply } from './reply.js';

export type CallName = 'provision' | 'deprovision' | 'clean' | 'plan_change' | 'revert' | 'action';

/** One call's verdict, with what is worth keeping of the answer. */
export interface Outcome {
  call: CallName;
  event: OperationEvent;
  status: number | null;
  /** For the operator: why there was no verdict, or what a refusal said. */
  detail: string | null;
  answer: ProvisionAnswer | null;
  /** What a plan change brought, or the way back from one. */
  planAnswer?: PlanChangeAnswer | null;
  /** What an action brought. */
  actionAnswer?: ActionAnswer | null;
  /** The id that a success named, also one that is no whole answer: what it made is cleaned up under this. */
  providerId: string | null;
  /** The provider's own words for the customer, made harmless. */
  message: string | null;
  /** The header of the reply, as it came. */
  retryAfter?: string;
  /** What was sent and what came back, masked. */
  request: object | null;
  reply: object | null;
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
    private readonly gate: CallGate,
    private readonly runs: ActionRunRepository,
  ) {}

  /** What keeps the call from being made now; null: nothing. Asked in the transaction of the claim. */
  holdOf(tx: Tx, operation: Operation, state: OperationState, now: Date): Promise<Hold | null> {
    return this.gate.holdOf(tx, operation, state, now);
  }

  async make(operation: Operation): Promise<Outcome> {
    const addon = await this.addons.get(this.db.manager, operation.addonId);
    const call = callFor(operation);
    const stop = this.metrics.providerCalls.startTimer({ service: addon.plan.addonService.name, call });
    const outcome = await this.call(call, operation, addon);
    stop({ verdict: outcome.event });
    return outcome;
  }

  private async call(call: CallName, operation: Operation, addon: Addon): Promise<Outcome> {
    switch (call) {
      case 'provision':
        return this.provision(addon);
      case 'deprovision':
      case 'clean':
        return this.remove(addon, call);
      case 'plan_change':
        assert(operation.planId !== null, 'a plan change without a plan');
        return this.changePlan(
          addon,
          call,
          await this.catalog.findPlanByName(this.db.manager, operation.planId),
        );
      case 'revert':
        return this.changePlan(addon, call, addon.plan);
      case 'action':
        return this.runAction(addon, operation);
    }
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

  private async changePlan(addon: Addon, call: 'plan_change' | 'revert', plan: Plan): Promise<Outcome> {
    const service = addon.plan.addonService;
    const access = await this.catalog.access(this.db.manager, service.providerId);
    const reply = await this.client.changePlan(access, addon.providerId ?? addon.id, plan.slug);
    const answer = parsePlanChangeAnswer(reply, service.configVars);
    const judge = call === 'revert' ? judgePartnerRevert : judgePartnerPlanChange;
    return {
      ...outcomeOf(call, judge(reply, answer !== null), reply, null),
      planAnswer: answer,
    };
  }

  private async runAction(addon: Addon, operation: Operation): Promise<Outcome> {
    const service = addon.plan.addonService;
    const access = await this.catalog.access(this.db.manager, service.providerId);
    const run = await this.runs.get(this.db.manager, operation.id);
    const reply = await this.client.runAction(access, addon.providerId ?? addon.id, run.name, {
      id: operation.id,
      params: this.runs.paramsOf(run),
    });
    const event = judgePartnerAction(reply);
    const declared = service.actions.find(({ name }) => name === run.name);
    const answer = event === 'done' ? parseActionAnswer(reply, declared?.result ?? null) : null;
    const outcome = outcomeOf('action', event, reply, null);
    return { ...outcome, detail: answer?.problem ?? outcome.detail, actionAnswer: answer };
  }

  private async remove(addon: Addon, call: 'deprovision' | 'clean'): Promise<Outcome> {
    const access = await this.catalog.access(this.db.manager, addon.plan.addonService.providerId);
    // Without an id of the provider's own, the uuid is the one name that both sides know.
    const reply = await this.client.deprovision(access, addon.providerId ?? addon.id);
    const judge = call === 'clean' ? judgePartnerCleaning : judgePartnerDeprovision;
    return outcomeOf(call, judge(reply), reply, null);
  }
}

function callFor({ type, state }: Operation): CallName {
  if (state === 'cleaning') return 'clean';
  return state === 'reverting' ? 'revert' : type;
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
    // For operators and the log, which have no business with what the customer sent.
    detail: detailOf(
      event,
      reply,
      reply.kind === 'answered' ? maskMessage(messageOf(reply.body), reply.body, reply.sent) : null,
    ),
    answer,
    providerId:
      call === 'provision' && reply.kind === 'answered' && isSuccess(reply.status)
        ? providerIdOf(reply.body)
        : null,
    message,
    retryAfter: reply.kind === 'answered' ? reply.retryAfter : undefined,
    request: maskRequest(reply.sent),
    reply: reply.kind === 'answered' ? maskReply(reply.status, reply.body, reply.sent) : null,
  };
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function detailOf(event: OperationEvent, reply: Reply, message: string | null): string | null {
  if (reply.kind === 'unanswered') return reply.why;
  if (event === 'refused' || event === 'unsupported' || event === 'stranded')
    return message ?? `the provider refused with status ${reply.status}`;
  if (event !== 'unknown') return null;
  if (reply.broken === true) return `status ${reply.status}, but the body is JSON that does not end`;
  if (isSuccess(reply.status))
    return `status ${reply.status}, but the body is not an answer: it needs an id, and config vars that the manifest declares`;
  return `status ${reply.status}${message === null ? '' : `: ${message}`}`;
}
