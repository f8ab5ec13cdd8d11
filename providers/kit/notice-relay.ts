import { request, type Dispatcher } from 'undici';
import type { Database } from './database.js';
import { describeError, type Logger } from './log.js';
import type { NoticeOutbox, WaitingNotice } from './notice-outbox.js';

export interface NoticeRelayOptions {
  database: Database;
  outbox: NoticeOutbox;
  /** The platform's address; null: there is nobody to tell, and notices wait. */
  platformUrl: string | null;
  slug: string;
  password: string;
  log: Logger;
}

const BATCH_MAX = 50;
const CALL_TIMEOUT_MS = 10_000;
const DELAY_FIRST_MS = 500;
const DELAY_MAX_MS = 5 * 60_000;

/** The add-on is gone, or the platform will never take this text: to say it again helps nobody. */
const HOPELESS = [400, 404, 410, 413, 422];

/** The wait before the next attempt, doubling up to five minutes. */
export function retryDelayMs(attempts: number): number {
  return Math.min(DELAY_FIRST_MS * 2 ** attempts, DELAY_MAX_MS);
}

/** Brings notices to the platform: at least once each, those of one resource in their order. */
export class NoticeRelay {
  constructor(private readonly options: NoticeRelayOptions) {}

  /** Delivers what is due, round after round while that succeeds: the next notice of a resource waits for the one before. */
  async deliverDue(): Promise<void> {
    const { database, outbox, platformUrl } = this.options;
    if (platformUrl === null) return;
    for (let delivered = true; delivered;) {
      const due = await outbox.listDue(database, BATCH_MAX);
      delivered = (await Promise.all(due.map((notice) => this.deliver(platformUrl, notice)))).includes(true);
    }
  }

  private async deliver(platformUrl: string, notice: WaitingNotice): Promise<boolean> {
    const { database, outbox, log } = this.options;
    const facts = {
      resource: notice.uuid,
      key: notice.key,
      cleared: notice.cleared,
      attempt: notice.attempts + 1,
    };
    const status = await this.post(platformUrl, notice);
    if (typeof status === 'number' && ((status >= 200 && status < 300) || HOPELESS.includes(status))) {
      if (status >= 300) log.warn({ ...facts, status }, 'a notice was refused for good');
      else log.info({ ...facts, status }, 'a notice was delivered');
      await outbox.remove(database, notice.id);
      return true;
    }
    const delayMs = retryDelayMs(notice.attempts);
    log.warn({ ...facts, outcome: status, delayMs }, 'a notice could not be delivered yet');
    await outbox.postpone(database, notice.id, delayMs);
    return false;
  }

  /** The platform's status, or what went wrong on the way. */
  private async post(platformUrl: string, notice: WaitingNotice): Promise<number | Record<string, unknown>> {
    const { slug, password } = this.options;
    const { key, severity, message, cleared } = notice;
    try {
      const response: Dispatcher.ResponseData = await request(
        `${platformUrl.replace(/\/+$/, '')}/addons/${notice.uuid}/notices`,
        {
          method: 'POST',
          signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
          headers: {
            authorization: `Basic ${Buffer.from(`${slug}:${password}`).toString('base64')}`,
            'content-type': 'application/json',
            accept: 'application/vnd.heroku+json; version=3',
          },
          body: JSON.stringify({ key, severity, message, cleared }),
        },
      );
      await response.body.dump();
      return response.statusCode;
    } catch (error) {
      return describeError(error);
    }
  }
}
