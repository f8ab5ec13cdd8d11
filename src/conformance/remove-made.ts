import { setTimeout as wait } from 'node:timers/promises';
import { hasStatus, isSuccess, outcomeOf, type Reply } from './exchange.js';
import type { MadeResource } from './made-resources.js';
import type { Trial } from './trial.js';
import type { Leftover } from './verdict.js';

const TRIES = 3;
const BETWEEN_MS = 500;

/** Deprovisions everything that the run may have made; gives what could not be confirmed. Never rejects. */
export async function removeMade(trial: Trial): Promise<Leftover[]> {
  const { made, mask } = trial.session;
  const leftovers: Leftover[] = [];
  for (const resource of made.list()) {
    const why = await remove(trial, resource).catch((error: unknown) =>
      error instanceof Error ? error.message : String(error),
    );
    if (why !== null)
      leftovers.push({
        uuid: resource.uuid,
        ids: [...resource.ids].map((id) => mask.show(id)),
        why: mask.show(why),
      });
  }
  return leftovers;
}

/** null: it is gone. */
async function remove(trial: Trial, resource: MadeResource): Promise<string | null> {
  const { uuid } = resource;
  // A provision without a verdict: the same call again tells the id, as it does a platform.
  if (resource.unsure && resource.ids.size === 0) {
    const { reply } = await trial.provisionPatiently(uuid);
    if (reply.kind === 'answered' && reply.status >= 400 && reply.status < 500 && !hasStatus(reply, 401))
      return null;
  }
  const ids = resource.ids.size === 0 ? [uuid] : [...resource.ids];
  for (const id of ids) {
    const reply = await deprovision(trial, uuid, id);
    if (!isSuccess(reply) && !hasStatus(reply, 404, 410))
      return `Its deprovision ended with ${outcomeOf(reply)}.`;
    // Without an id there is only the uuid to ask by, and a provider with ids of its own does not know that.
    const isBlind = resource.ids.size === 0 && resource.unsure && !trial.session.made.idsAreUuids;
    if (isBlind && hasStatus(reply, 404))
      return `A provision had no clear answer, and a deprovision by the uuid ended with ${outcomeOf(reply)}.`;
  }
  return null;
}

async function deprovision(trial: Trial, uuid: string, id: string): Promise<Reply> {
  for (let tries = 1; ; tries++) {
    const { reply } = await trial.deprovision(uuid, id);
    if (isSuccess(reply) || hasStatus(reply, 404, 410) || tries === TRIES) return reply;
    await wait(BETWEEN_MS, undefined, { signal: trial.signal });
  }
}
