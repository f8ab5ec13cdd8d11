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
  scopes: string[];
  /** Seconds until it expires; null: it does not. */
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
    const scopes = input.scopes.map(parseScope);
    // Nobody can mint a token that may do more than the one he holds.
    if (!scopes.every((scope) => mayUse(actor, scope) || (scope === 'global' && actor.scopes.has('global'))))
      throw accountErrors.forbidden({ message: 'A token can only be given scopes that your own token has.' });
    const now = this.clock.now();
    const text = freshToken();
    const token: AccessToken = {
      id: newId(),
      accountId: actor.accountId,
      tokenHash: hashToken(text.reveal()),
      description: input.description,
      scopes,
      expiresAt: input.expiresInSeconds === null ? null : plusMs(now, input.expiresInSeconds * 1000),
      revokedAt: null,
      createdAt: now,
    };
    await this.db.transaction('token.create', async (tx) => {
      await this.accounts.insertToken(tx, token);
      await this.audit.add(tx, authorOf(actor), {
        action: 'token.created',
        subject: { kind: 'token', id: token.id },
        details: { description: token.description, scopes },
      });
    });
    return { token, text };
  }
}

function parseScope(text: string): Scope {
  const scope = SCOPES.find((known) => known === text);
  if (scope === undefined)
    throw accountErrors.scope_unknown({
      message: `There is no scope "${text}"; choose from ${SCOPES.join(', ')}.`,
    });
  return scope;
}
