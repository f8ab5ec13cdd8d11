import type { Clock } from './clock.js';
import type { CrashPoints } from './crash-points.js';
import type { Database } from './database.js';
import { describeError, type Logger } from './log.js';
import { callPlatform, type Patience, PATIENCE, PlatformError } from './platform-call.js';
import type { PlatformLink, PlatformLinks } from './platform-links.js';

export interface PlatformTokensOptions {
  database: Database;
  links: PlatformLinks;
  /** The platform's address; null: where the provision said that it may be called back. */
  platformUrl: string | null;
  /** Where codes and tokens are exchanged, where that is not `/oauth/token` at the platform's address. */
  tokenUrl: string | null;
  clientSecret: string;
  clock: Clock;
  crash: CrashPoints;
  log: Logger;
  patience?: Patience;
}

/** A token is renewed so long before its end, so that a call that begins with it can end with it. */
const EARLY_MS = 60_000;
const EXCHANGES_MAX = 50;

/** There is no way back to the platform for this resource: no grant came, or it ran out before it was used. */
export class NoGrant extends Error {
  constructor() {
    super(
      'The platform gave no grant for this resource, or it ran out; a repeated provision brings another.',
    );
    this.name = 'NoGrant';
  }
}

/** Access tokens of resources: exchanged, kept encrypted, and renewed in time. */
export class PlatformTokens {
  private readonly underWay = new Map<string, Promise<string>>();

  constructor(private readonly options: PlatformTokensOptions) {}

  /** A token that is good for a while. Whoever asks meanwhile for the same resource gets the same. */
  access(uuid: string, spent?: string): Promise<string> {
    const known = this.underWay.get(uuid);
    if (known !== undefined) return known;
    const asked = this.settle(uuid, spent).finally(() => this.underWay.delete(uuid));
    this.underWay.set(uuid, asked);
    return asked;
  }

  /** Where this resource's platform is. */
  async platformUrl(uuid: string): Promise<string> {
    const { links, database, platformUrl } = this.options;
    const url = platformUrl ?? (await links.find(database, uuid))?.link.platformUrl ?? null;
    if (url === null) throw new NoGrant();
    return url.replace(/\/+$/, '');
  }

  /** Grants live for five minutes: those that nobody needed yet are exchanged all the same. */
  async exchangeDue(): Promise<void> {
    const { links, database, log } = this.options;
    for (const uuid of await links.listExchangeDue(database, EXCHANGES_MAX))
      await this.access(uuid).catch((error: unknown) =>
        log.warn({ resource: uuid, error: describeError(error) }, 'a grant could not be exchanged'),
      );
  }

  /** `spent` is a token that the platform no longer takes, whatever its time says. */
  private async settle(uuid: string, spent: string | undefined): Promise<string> {
    const { links, database, clock } = this.options;
    const found = await links.find(database, uuid);
    if (found === null) throw new NoGrant();
    const { link, version } = found;
    const { tokens, grant } = link;
    const now = clock.now();
    if (tokens !== null && tokens.access !== spent && isGood(tokens.accessExpiresAt, EARLY_MS, now))
      return tokens.access;
    if (tokens !== null)
      return this.obtain(uuid, { grant_type: 'refresh_token', refresh_token: tokens.refresh }, link, version);
    if (grant === null) throw new NoGrant();
    if (!isGood(grant.expiresAt, 0, now)) {
      await links.replace(database, uuid, version, { ...link, grant: null });
      throw new NoGrant();
    }
    return this.obtain(uuid, { grant_type: 'authorization_code', code: grant.code }, link, version);
  }

  private async obtain(
    uuid: string,
    form: Record<string, string>,
    link: PlatformLink,
    version: number,
  ): Promise<string> {
    const { links, database, clock, crash, clientSecret, patience = PATIENCE } = this.options;
    const url = this.options.tokenUrl ?? `${await this.platformUrl(uuid)}/oauth/token`;
    const asked = clock.now();
    let answer: unknown;
    try {
      answer = await callPlatform(
        {
          method: 'POST',
          url,
          headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
          body: new URLSearchParams({ ...form, client_secret: clientSecret }).toString(),
        },
        patience,
      );
    } catch (error) {
      return this.afterRefusal(uuid, link, version, error);
    }
    crash.reach('tokens.before-commit');
    const tokens = readTokens(answer, asked, link.tokens?.refresh ?? null);
    if (!(await links.replace(database, uuid, version, { ...link, grant: null, tokens }))) {
      // The row was deleted, or a repeated provision or another process wrote to it; these tokens must not be lost.
      const now = await links.find(database, uuid);
      if (now === null) throw new NoGrant();
      await links.replace(database, uuid, now.version, { ...now.link, grant: null, tokens });
    }
    crash.reach('tokens.after-commit');
    return tokens.access;
  }

  /** A code is good once: where another process was first, its tokens are in the table by now, or soon. */
  private async afterRefusal(
    uuid: string,
    link: PlatformLink,
    version: number,
    error: unknown,
  ): Promise<string> {
    const { links, database } = this.options;
    if (!(error instanceof PlatformError) || !error.final) throw error;
    const now = await links.find(database, uuid);
    if (now === null) throw new NoGrant();
    const { tokens } = now.link;
    if (tokens !== null && tokens.access !== link.tokens?.access) return tokens.access;
    // A code that was refused is refused for ever; a new provision brings another.
    if (link.tokens === null) await links.replace(database, uuid, version, { ...link, grant: null });
    throw error;
  }
}

function isGood(expiresAt: string, earlyMs: number, now: Date): boolean {
  const at = Date.parse(expiresAt);
  return !Number.isNaN(at) && at - earlyMs > now.getTime();
}

/** A platform may leave the refresh token as it is, rotate it, or leave it out. */
function readTokens(
  answer: unknown,
  asked: Date,
  refreshBefore: string | null,
): NonNullable<PlatformLink['tokens']> {
  const fields = (typeof answer === 'object' && answer !== null ? answer : {}) as Record<string, unknown>;
  const { access_token: access, refresh_token: rotated, expires_in: seconds } = fields;
  const refresh = typeof rotated === 'string' && rotated !== '' ? rotated : refreshBefore;
  if (typeof access !== 'string' || access === '' || refresh === null)
    throw new PlatformError('The platform answered without tokens.', null, null, null);
  const lifeMs = (typeof seconds === 'number' && seconds > 0 ? seconds : 3600) * 1000;
  return { access, accessExpiresAt: new Date(asked.getTime() + lifeMs).toISOString(), refresh };
}
