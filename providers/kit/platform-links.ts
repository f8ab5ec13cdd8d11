import type { Clock } from './clock.js';
import type { Queryable } from './database.js';
import type { PlatformFacts } from './resource.js';
import type { Vault } from './vault.js';

/** What one resource's way back to the platform is made of. All of it is secret, and stored encrypted. */
export interface PlatformLink {
  /** Where the platform's API is; null: the program's setting says it. */
  platformUrl: string | null;
  /** A grant that was not exchanged yet. */
  grant: { code: string; expiresAt: string } | null;
  tokens: { access: string; accessExpiresAt: string; refresh: string } | null;
  logInputUrl: string | null;
  logDrainToken: string | null;
}

interface Row {
  uuid: string;
  sealed: Buffer;
  version: number;
}

const NEW_LINK: PlatformLink = {
  platformUrl: null,
  grant: null,
  tokens: null,
  logInputUrl: null,
  logDrainToken: null,
};

/** Every query on the links' table. */
export class PlatformLinks {
  constructor(
    private readonly vault: Vault,
    private readonly clock: Clock,
  ) {}

  async find(db: Queryable, uuid: string): Promise<{ link: PlatformLink; version: number } | null> {
    const [row] = await db.query<Row>(
      'SELECT uuid, sealed, version FROM kit.platform_links WHERE uuid = $1',
      [uuid],
    );
    return row === undefined ? null : { link: this.open(row), version: row.version };
  }

  /** What a provision brought. A repeat brings a fresh grant, which is of use only until there are tokens. */
  async keep(db: Queryable, uuid: string, facts: PlatformFacts): Promise<void> {
    for (let written = false; !written;) {
      const known = await this.find(db, uuid);
      const link = merge(known?.link ?? NEW_LINK, facts);
      // Tokens may be stored at the same moment, and must not be written over.
      written =
        known === null
          ? await this.insert(db, uuid, link)
          : await this.replace(db, uuid, known.version, link);
    }
  }

  private async insert(db: Queryable, uuid: string, link: PlatformLink): Promise<boolean> {
    const made = await db.query(
      `INSERT INTO kit.platform_links (uuid, sealed, exchange_due, updated_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT ON CONSTRAINT platform_links_pkey DO NOTHING RETURNING uuid`,
      [uuid, this.seal(uuid, link), link.grant !== null, this.clock.now()],
    );
    return made.length === 1;
  }

  /** False when another process changed the link since it was read. */
  async replace(db: Queryable, uuid: string, version: number, link: PlatformLink): Promise<boolean> {
    const changed = await db.query(
      `UPDATE kit.platform_links SET sealed = $3, exchange_due = $4, version = version + 1, updated_at = $5
       WHERE uuid = $1 AND version = $2 RETURNING uuid`,
      [uuid, version, this.seal(uuid, link), link.grant !== null, this.clock.now()],
    );
    return changed.length === 1;
  }

  /** Links whose grant waits for its exchange, the oldest first. */
  async listExchangeDue(db: Queryable, max: number): Promise<string[]> {
    const rows = await db.query<{ uuid: string }>(
      'SELECT uuid FROM kit.platform_links WHERE exchange_due ORDER BY updated_at LIMIT $1',
      [max],
    );
    return rows.map(({ uuid }) => uuid);
  }

  async remove(db: Queryable, uuid: string): Promise<void> {
    await db.query('DELETE FROM kit.platform_links WHERE uuid = $1', [uuid]);
  }

  private seal(uuid: string, link: PlatformLink): Buffer {
    return this.vault.seal(JSON.stringify(link), placeOf(uuid));
  }

  private open({ uuid, sealed }: Row): PlatformLink {
    return JSON.parse(this.vault.open(sealed, placeOf(uuid))) as PlatformLink;
  }
}

/** Another place than that of the resource's own secrets, so that the two cannot be swapped. */
function placeOf(uuid: string): string {
  return `platform-link ${uuid}`;
}

function merge(before: PlatformLink, facts: PlatformFacts): PlatformLink {
  return {
    platformUrl: originOf(facts.callbackUrl) ?? before.platformUrl,
    grant: before.tokens === null ? (facts.grant ?? before.grant) : null,
    tokens: before.tokens,
    logInputUrl: facts.logInputUrl ?? before.logInputUrl,
    logDrainToken: facts.logDrainToken ?? before.logDrainToken,
  };
}

function originOf(callbackUrl: string | null): string | null {
  if (callbackUrl === null || !URL.canParse(callbackUrl)) return null;
  const { protocol, origin } = new URL(callbackUrl);
  return ['http:', 'https:'].includes(protocol) ? origin : null;
}
