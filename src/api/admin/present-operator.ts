import type { Finding, Operation, OperationAttempt } from '../../provisioning/operation.entity.js';
import type { OperationPlace } from '../../provisioning/operation-list.repository.js';
import type { Pause } from '../../provisioning/gate.entity.js';
import type { ProviderFacts } from '../../provisioning/provider-list.repository.js';
import type {
  FindingResource,
  OperationAttemptResource,
  OperationResource,
  PauseResource,
  ProviderResource,
} from './operator-resources.js';

export function presentOperation(operation: Operation, place: OperationPlace | undefined): OperationResource {
  return {
    id: operation.id,
    type: operation.type,
    state: operation.state,
    addon: { id: operation.addonId, name: place?.addon ?? '' },
    app: { id: place?.appId ?? null, name: place?.app ?? '' },
    service: place?.service ?? '',
    plan: place?.plan ?? '',
    target_plan: place?.targetPlan ?? null,
    region: place?.region ?? '',
    attempt: operation.attempt,
    held_by: operation.heldBy,
    next_attempt_at: operation.nextAttemptAt.toISOString(),
    deadline_at: operation.deadlineAt.toISOString(),
    lease_until: operation.leaseUntil?.toISOString() ?? null,
    actor: operation.actorName,
    last_error: operation.lastError,
    customer_message: operation.customerMessage,
    abandoned_at: operation.abandonedAt?.toISOString() ?? null,
    created_at: operation.createdAt.toISOString(),
    updated_at: operation.updatedAt.toISOString(),
    finished_at: operation.finishedAt?.toISOString() ?? null,
  };
}

export function presentAttempt(attempt: OperationAttempt): OperationAttemptResource {
  return {
    attempt: attempt.attempt,
    call: attempt.call,
    verdict: attempt.verdict,
    status: attempt.status,
    detail: attempt.detail,
    request: attempt.request,
    reply: attempt.reply,
    began_at: attempt.beganAt.toISOString(),
    ended_at: attempt.endedAt.toISOString(),
  };
}

export function presentFinding(finding: Finding): FindingResource {
  return {
    id: finding.id,
    kind: finding.kind,
    addon: finding.addonId === null ? null : { id: finding.addonId },
    provider: finding.providerId === null ? null : { id: finding.providerId, resource: finding.resource },
    monthly_cost:
      finding.monthlyCents === null
        ? null
        : { cents: Number(finding.monthlyCents), currency: finding.monthlyCurrency },
    removal:
      finding.removalDueAt === null
        ? null
        : { attempts: finding.removalAttempts, last_error: finding.removalError },
    detail: finding.detail,
    created_at: finding.createdAt.toISOString(),
    resolved_at: finding.resolvedAt?.toISOString() ?? null,
    resolved_by: finding.resolvedBy,
    resolution: finding.resolution,
  };
}

export function presentPause(pause: Pause): PauseResource {
  return {
    id: pause.id,
    scope: pause.scope,
    target: pause.targetName,
    reason: pause.reason,
    paused_by: pause.pausedBy,
    created_at: pause.createdAt.toISOString(),
    resumed_by: pause.resumedBy,
    resumed_at: pause.resumedAt?.toISOString() ?? null,
  };
}

export function presentProvider(provider: ProviderFacts, pauses: readonly Pause[]): ProviderResource {
  const pause = pauses.find(({ scope, target }) => scope === 'provider' && target === provider.id);
  return {
    id: provider.id,
    service: provider.service,
    bundled: provider.bundled,
    circuit: provider.circuit.state,
    circuit_opened_at: provider.circuit.openedAt?.toISOString() ?? null,
    circuit_probe_at: provider.circuit.probeAt?.toISOString() ?? null,
    paused: pause?.reason ?? null,
    operations: { open: provider.open, held: provider.held },
  };
}
