import { ok } from './api.js';
import type { World } from './world.js';

/** The parts of the operator's answers that tests read. */
export interface OperationBody {
  id: string;
  type: string;
  state: string;
  attempt: number;
  held_by: string | null;
  next_attempt_at: string;
  deadline_at: string;
  last_error: string | null;
  abandoned_at: string | null;
  created_at: string;
  finished_at: string | null;
  addon: { id: string; name: string };
  app: { id: string; name: string };
  service: string;
  plan: string;
  target_plan: string | null;
}

export interface AttemptBody {
  attempt: number;
  call: string;
  verdict: string;
  status: number | null;
  detail: string | null;
  request: { method: string; url: string; body: Record<string, unknown> | null } | null;
  reply: { status: number; body: Record<string, unknown> | null } | null;
}

export interface HistoryBody extends OperationBody {
  attempts: AttemptBody[];
}

export interface FindingBody {
  id: string;
  kind: string;
  addon: { id: string };
  detail: string;
  resolved_at: string | null;
  resolved_by: string | null;
  resolution: string | null;
}

export interface PauseBody {
  id: string;
  scope: string;
  target: string;
  reason: string;
  resumed_at: string | null;
}

export interface ProviderBody {
  service: string;
  circuit: string;
  paused: string | null;
  operations: { open: number; held: number };
}

/** An operator at work on a world. */
export class Operator {
  constructor(private readonly world: World) {}

  /** The open operation of an add-on, else its newest, with its calls. */
  async operationOf(addonId: string): Promise<HistoryBody> {
    const all = ok(await this.world.api.get<OperationBody[]>(`/admin/operations?addon=${addonId}`));
    // With a clock that stands, a delete is no newer than its creation.
    const newest = all.find(({ finished_at }) => finished_at === null) ?? all[0];
    if (newest === undefined) throw new Error(`no operation of ${addonId}`);
    return ok(await this.world.api.get<HistoryBody>(`/admin/operations/${newest.id}`));
  }

  retry(id: string, reason = 'the provider is back') {
    return this.world.api.post<HistoryBody>(`/admin/operations/${id}/retry`, { reason });
  }

  abandon(id: string, body: object = {}) {
    return this.world.api.post<HistoryBody>(`/admin/operations/${id}/abandon`, {
      reason: 'nobody wants it any more',
      ...body,
    });
  }

  async pause(target: object, reason = 'maintenance until noon'): Promise<PauseBody> {
    return ok(await this.world.api.post<PauseBody>('/admin/pauses', { ...target, reason }));
  }

  async resume(pause: { id: string }): Promise<PauseBody> {
    return ok(
      await this.world.api.post<PauseBody>(`/admin/pauses/${pause.id}/resume`, { reason: 'all is well' }),
    );
  }

  async provider(): Promise<ProviderBody> {
    const all = ok(await this.world.api.get<ProviderBody[]>('/admin/providers'));
    const pg = all.find(({ service }) => service === 'pg');
    if (pg === undefined) throw new Error('the provider is not listed');
    return pg;
  }

  async findings(state: 'open' | 'resolved' | 'all' = 'open'): Promise<FindingBody[]> {
    return ok(await this.world.api.get<FindingBody[]>(`/admin/findings?state=${state}`));
  }

  /** Who did what of an action, by the audit trail. */
  async audited(
    action: string,
    subjectId: string,
  ): Promise<{ actor_name: string; details: { reason?: string } }[]> {
    return this.world.database.query(
      'SELECT actor_name, details FROM audit_events WHERE action = $1 AND subject_id = $2 ORDER BY id',
      [action, subjectId],
    );
  }
}
