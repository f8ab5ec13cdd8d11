import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Clock, plusMs } from '../../kernel/clock.js';
import { Database } from '../../kernel/db/database.js';
import { newId } from '../../kernel/ids.js';
import type { Secret } from '../../kernel/secret.js';
import type { AccessToken } from '../account.entity.js';
import { AccountRepository } from '../account.repository.js';
import { accountErrors } from '../accounts.errors.js';
import { authorOf, mayUse, SCOPES, type Actor, type Scope } from '../actor.js';
import { freshToken, hashToken } from '../tokens.js';

export interface CreateTokenInput {
  description: string;
  /** null: those of the actor's own token. */
  scopes: string[] | null;
  /** Seconds until it expires; null: as long as the actor's own token. */
  expiresInSeconds: number | null;
}

/** Makes a token for the actor's account. Its text is given once and never stored. */
@Injectable()
export class CreateToken {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly accounts: AccountRepository,
    private readonly audit: AuditTrail,
  ) {}

  async run(actor: Actor, input: CreateTokenInput): Promise<{ token: AccessToken; text: Secret }> {
    const scopes = [...new Set(input.scopes?.map(parseScope) ?? actor.scopes)];
    // Nobody can mint a token that may do more than the one he holds, or that outlives it.
    if (!scopes.every((scope) => actor.scopes.has(scope) || mayUse(actor, scope)))
      throw accountErrors.forbidden({ message: 'A token can only be given scopes that your own token has.' });
    const now = this.clock.now();
    const text = freshToken();
    const token: AccessToken = {
      id: newId(),
      accountId: actor.accountId,
      tokenHash: hashToken(text.reveal()),
      description: input.description,
      scopes,
      origin: 'request',
      expiresAt: earlier(
        actor.expiresAt,
        input.expiresInSeconds === null ? null : plusMs(now, input.expiresInSeconds * 1000),
      ),
      revokedAt: null,
      createdAt: now,
    };
    await this.db.transaction('token.create', async (tx) => {
      await this.accounts.insertToken(tx, token);
      await this.audit.add(tx, authorOf(actor), {
        action: 'token.created',
        subject: { kind: 'token', id: token.id },
        details: {
          description: token.description,
          scopes,
          expiresAt: token.expiresAt?.toISOString() ?? null,
        },
      });
    });
    return { token, text };
  }
}

/** The earlier of two times; null is never. */
function earlier(a: Date | null, b: Date | null): Date | null {
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
}

function parseScope(text: string): Scope {
  const scope = SCOPES.find((known) => known === text);
  if (scope === undefined)
    throw accountErrors.scope_unknown({
      message: `There is no scope "${text.slice(0, 60)}"; choose from ${SCOPES.join(', ')}.`,
    });
  return scope;
}
