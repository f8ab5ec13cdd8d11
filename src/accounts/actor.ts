import type { AccountId, TokenId } from '../kernel/ids.js';

/** What a token may be allowed to do. `global` is every scope but `admin`. */
export const SCOPES = [
  'global',
  'account:read',
  'account:write',
  'apps:read',
  'apps:write',
  'config:read',
  'config:write',
  'addons:read',
  'addons:write',
  'catalog:read',
  'manifests:read',
  'manifests:write',
  'admin',
] as const;
export type Scope = (typeof SCOPES)[number];

/** Who asks: an account, by one of its tokens. */
export interface Actor {
  accountId: AccountId;
  email: string;
  tokenId: TokenId;
  scopes: ReadonlySet<Scope>;
  isOperator: boolean;
  /** When the token stops working; null: it does not. */
  expiresAt: Date | null;
  requestId: string | null;
}

/** Whether the actor's token covers a scope. `admin` also needs an operator's account. */
export function mayUse(actor: Pick<Actor, 'scopes' | 'isOperator'>, scope: Scope): boolean {
  if (scope === 'admin') return actor.isOperator && actor.scopes.has('admin');
  return actor.scopes.has('global') || actor.scopes.has(scope);
}

/** Who is written into releases, operations and the audit trail. */
export interface Author {
  kind: 'account' | 'provider' | 'system';
  id: string | null;
  name: string;
  requestId: string | null;
}

export function authorOf(actor: Actor): Author {
  return { kind: 'account', id: actor.accountId, name: actor.email, requestId: actor.requestId };
}

/** Souk itself: reconcilers and deadlines. */
export const SYSTEM: Author = { kind: 'system', id: null, name: 'souk', requestId: null };
