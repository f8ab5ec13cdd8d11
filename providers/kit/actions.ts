import type { Clock } from './clock.js';
import type { Database, Queryable } from './database.js';
import { answers, ProviderError } from './errors.js';
import type { Resource } from './resource.js';
import type { ResourceLock } from './resource-lock.js';
import type { ResourceStore } from './resource-store.js';
import type { Vault } from './vault.js';

/** What a customer asked for, as the manifest's schema allows it. */
export interface ActionRequest {
  /** Names the run: the same one, however often it is asked for. */
  run: string;
  params: Record<string, unknown>;
}

/** What came of it. `pending`: the work goes on, and the same run is asked for again in a while. */
export type ActionOutcome = { pending: true } | { pending?: false; result?: unknown; message?: string };

/**
 * Carries an action out; throws `refuse(…)` where it cannot be. May be repeated after it was cut off anywhere, with the
 * same run. Once it gave a result that run is not carried out again.
 */
export type ActionHandler = (
  resource: Resource,
  request: ActionRequest,
) => Promise<ActionOutcome> | ActionOutcome;

export type ActionHandlers = Record<string, ActionHandler>;

/** Longer than any platform asks for one run again. */
const KEPT_MS = 8 * 24 * 3_600_000;

export interface ActionsParts {
  database: Database;
  store: ResourceStore;
  lock: ResourceLock;
  vault: Vault;
  clock: Clock;
  handlers: ActionHandlers;
}

/** Runs actions, one at a time for each resource, and remembers what came of each run. */
export class Actions {
  constructor(private readonly parts: ActionsParts) {}

  async run(uuid: string, name: string, request: ActionRequest): Promise<ActionOutcome> {
    const { lock, store, handlers } = this.parts;
    const handler = Object.hasOwn(handlers, name) ? handlers[name] : undefined;
    if (handler === undefined) throw new ProviderError(404, 'action_not_found', 'There is no such action.');
    return lock.hold(uuid, async (session) => {
      const known = await store.find(session, uuid);
      if (known.state === 'unknown') throw answers.resourceNotFound();
      if (known.state === 'deleted' || known.state === 'deleting') throw answers.resourceGone();
      if (known.state === 'creating') throw answers.notReady();
      const before = await this.find(session, uuid, name, request.run);
      if (before !== null) return before;
      const outcome = await handler(known, request);
      if (outcome.pending !== true) await this.keep(session, uuid, name, request.run, outcome);
      return outcome;
    });
  }

  private async find(db: Queryable, uuid: string, name: string, run: string): Promise<ActionOutcome | null> {
    const [row] = await db.query<{ uuid: string; name: string; sealed: Buffer }>(
      'SELECT uuid, name, sealed FROM kit.action_runs WHERE run = $1',
      [run],
    );
    if (row === undefined) return null;
    if (row.uuid !== uuid || row.name !== name) throw answers.invalid('The id names another run.');
    return JSON.parse(this.parts.vault.open(row.sealed, placeOf(run))) as ActionOutcome;
  }

  private async keep(
    db: Queryable,
    uuid: string,
    name: string,
    run: string,
    outcome: ActionOutcome,
  ): Promise<void> {
    const { vault, clock } = this.parts;
    const now = clock.now();
    await db.query('DELETE FROM kit.action_runs WHERE uuid = $1 AND created_at < $2', [
      uuid,
      new Date(now.getTime() - KEPT_MS),
    ]);
    await db.query('INSERT INTO kit.action_runs VALUES ($1, $2, $3, $4, $5)', [
      run,
      uuid,
      name,
      vault.seal(JSON.stringify(outcome), placeOf(run)),
      now,
    ]);
  }
}

/** Throws where the manifest promises other actions than the program has. */
export function assertActionsDeclared(declared: readonly string[], handlers: ActionHandlers): void {
  const missing = declared.filter((name) => !Object.hasOwn(handlers, name));
  const unknown = Object.keys(handlers).filter((name) => !declared.includes(name));
  if (missing.length > 0)
    throw new Error(`The manifest declares actions without code: ${missing.join(', ')}.`);
  if (unknown.length > 0)
    throw new Error(`The manifest does not declare these actions: ${unknown.join(', ')}.`);
}

/** Binds a stored outcome to its run. */
function placeOf(run: string): string {
  return `action:${run}`;
}
