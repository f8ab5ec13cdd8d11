import type { Addon, AddonNotice } from '../addons/addon.entity.js';
import { namedId } from '../kernel/ids.js';
import type { Pause } from './gate.entity.js';
import type { Operation } from './operation.entity.js';
import { sentence } from './pause.repository.js';

type Waiting = Pick<Operation, 'type' | 'state' | 'heldBy' | 'nextAttemptAt' | 'updatedAt'>;

/**
 * What a customer is told of an add-on whose provider is paused or does not answer; null where there is nothing to tell.
 * Made from what is known now, so that it ends with its cause.
 */
export function waitingNotice(
  addon: Addon,
  operation: Waiting | null,
  pauses: readonly Pause[],
): AddonNotice | null {
  // The customer's side of an add-on that is gone has ended; what the provider still owes is the operator's.
  if (addon.removedAt !== null) return null;
  const pause = pauses.find((one) => holds(one, addon));
  if (pause !== undefined) {
    const what = pause.scope === 'region' ? `The region ${pause.targetName}` : pause.targetName;
    return notice(addon, {
      key: 'souk.paused',
      severity: operation === null ? 'info' : 'warning',
      message: `${what} is paused by the operator: ${sentence(pause.reason)} ${whatWaits(operation)}`,
      createdAt: pause.createdAt,
    });
  }
  if (operation === null) return null;
  const again = `trying again at ${operation.nextAttemptAt.toISOString().slice(0, 19)}Z.`;
  if (operation.heldBy === 'circuit')
    return notice(addon, {
      key: 'souk.unanswered',
      severity: 'warning',
      message: `The provider does not answer at the moment; ${again}`,
      createdAt: operation.updatedAt,
    });
  if (operation.state === 'reverting')
    return notice(addon, {
      key: 'souk.plan_unconfirmed',
      severity: 'warning',
      message: `The plan could not be changed; the add-on keeps the one that it had. Other changes wait until the provider has confirmed that; ${again}`,
      createdAt: operation.updatedAt,
    });
  if (operation.state === 'unsure')
    return notice(addon, {
      key: 'souk.unanswered',
      severity: 'warning',
      message: `The provider has given no usable answer yet; ${again}`,
      createdAt: operation.updatedAt,
    });
  return null;
}

function holds({ scope, target }: Pause, addon: Addon): boolean {
  if (scope === 'provider') return target === addon.plan.addonService.providerId;
  return scope === 'region' && target === addon.region;
}

function whatWaits(operation: Waiting | null): string {
  if (operation === null) return 'The add-on stays as it is; changes of it wait.';
  if (operation.type === 'deprovision') return 'The provider is told of the deletion when that ends.';
  return 'What was asked for waits, and goes on by itself when that ends.';
}

function notice(
  addon: Addon,
  says: Pick<AddonNotice, 'key' | 'severity' | 'message' | 'createdAt'>,
): AddonNotice {
  return { id: namedId(`notice:${addon.id}:${says.key}`), addonId: addon.id, clearedAt: null, ...says };
}
