import { hasStatus, isSuccess, type Reply } from './exchange.js';
import { idIn } from './judge-provision.js';

/** What is known of one uuid that a provision was sent for. */
export interface MadeResource {
  uuid: string;
  /** The provider's ids for it; a provider that is not idempotent gives several. */
  ids: Set<string>;
  /** A provision had no verdict, or succeeded without an id: there may be something. */
  unsure: boolean;
}

interface Entry extends MadeResource {
  /** Rises with each provision that is sent or answered; a delete confirms nothing about a later one. */
  moment: number;
  open: number;
}

/** Every resource that may exist because of the test, so that none is left behind. */
export class MadeResources {
  /** True once the provider took a uuid for its id: then it knows what exists by the uuid. */
  idsAreUuids = false;
  private readonly entries = new Map<string, Entry>();

  /** Before a provision is sent: what is not remembered then is lost with a crash of the call. */
  sending(uuid: string): void {
    const entry = this.entries.get(uuid) ?? { uuid, ids: new Set(), unsure: false, moment: 0, open: 0 };
    entry.moment += 1;
    entry.open += 1;
    this.entries.set(uuid, entry);
  }

  /** What came of it; null: it was broken off. */
  answered(uuid: string, reply: Reply | null): void {
    const entry = this.entries.get(uuid);
    if (entry === undefined) return;
    entry.moment += 1;
    entry.open -= 1;
    const id = reply === null ? null : idIn(reply);
    if (reply !== null && isSuccess(reply) && id !== null) {
      entry.ids.add(id);
      if (id.toLowerCase() === uuid) this.idsAreUuids = true;
      entry.unsure = false;
    } else if (reply === null || reply.kind === 'unanswered' || reply.status < 400 || reply.status >= 500) {
      entry.unsure = true;
    }
    this.forgetIfNothing(entry);
  }

  /** Note this before a delete is sent, and give it to `deleted`. */
  momentOf(uuid: string): number {
    return this.entries.get(uuid)?.moment ?? 0;
  }

  /** A delete was answered. Only what no provision overtook is believed. */
  deleted(uuid: string, id: string, reply: Reply, moment: number): void {
    const entry = this.entries.get(uuid);
    if (entry === undefined || entry.open > 0 || entry.moment !== moment) return;
    if (!isSuccess(reply) && !hasStatus(reply, 404, 410)) return;
    if (!entry.ids.delete(id) && isSuccess(reply)) entry.unsure = false;
    this.forgetIfNothing(entry);
  }

  list(): MadeResource[] {
    return [...this.entries.values()];
  }

  private forgetIfNothing(entry: Entry): void {
    if (entry.open === 0 && entry.ids.size === 0 && !entry.unsure) this.entries.delete(entry.uuid);
  }
}
