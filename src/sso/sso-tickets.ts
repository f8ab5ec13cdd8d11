import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { mayUse, type Actor } from '../accounts/actor.js';
import { Clock, plusMs } from '../kernel/clock.js';
import { CONFIG, type Config } from '../kernel/config.js';
import { KeyRing } from '../kernel/crypto/key-ring.js';
import type { AccountId, AddonId, AttachmentId, TokenId } from '../kernel/ids.js';
import { ssoErrors } from './sso.errors.js';

const TICKET_MS = 60_000;
/** Keeps tickets apart from everything else that is sealed. */
const CONTEXT = 'sso.ticket';

/** What an address opens: an add-on as such, or through one of its attachments, whose app the user comes from then. */
export interface SsoTarget {
  addonId: AddonId;
  attachmentId: AttachmentId | null;
}

/** What a ticket says, to whoever has the key. */
export interface SsoTicket {
  target: SsoTarget;
  accountId: AccountId;
  /** The token by which it was asked for: a ticket dies with it. */
  tokenId: TokenId;
  expiresAt: Date;
  /** Tells one ticket from another; kept when it is used. */
  hash: Buffer;
}

/**
 * Addresses of Souk's own sign-on page. A ticket is sealed, so that giving one out with each answer stores nothing;
 * only using it does.
 */
@Injectable()
export class SsoTickets {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly clock: Clock,
    private readonly keys: KeyRing,
  ) {}

  /** The page of a target, which never changes. Without a ticket it only says how to get one. */
  page(target: SsoTarget): string {
    return `${this.config.publicUrl}/sso/${target.attachmentId ?? target.addonId}`;
  }

  /** The page with a ticket for this actor, for a minute; without one for a token that may only read. */
  address(actor: Actor, target: SsoTarget): string {
    if (!mayUse(actor, 'addons:write')) return this.page(target);
    const sealed = this.keys.seal(
      JSON.stringify({
        addonId: target.addonId,
        attachmentId: target.attachmentId,
        accountId: actor.accountId,
        tokenId: actor.tokenId,
        expiresAtMs: plusMs(this.clock.now(), TICKET_MS).getTime(),
      }),
      CONTEXT,
    );
    return `${this.page(target)}?ticket=${sealed.keyId}.${sealed.ciphertext.toString('base64url')}`;
  }

  /** The ticket for this page; throws `sso_ticket_invalid` for one that is forged, another page's, or too old. */
  read(resourceId: string, text: string): SsoTicket {
    const [, keyId, encoded] = /^(\w{1,40})\.([\w-]{1,2000})$/.exec(text) ?? [];
    if (keyId === undefined || encoded === undefined) throw ssoErrors.sso_ticket_invalid();
    const ciphertext = Buffer.from(encoded, 'base64url');
    const { addonId, attachmentId, accountId, tokenId, expiresAtMs } = this.open(keyId, ciphertext);
    const expiresAt = new Date(expiresAtMs);
    if ((attachmentId ?? addonId) !== resourceId || expiresAt <= this.clock.now())
      throw ssoErrors.sso_ticket_invalid();
    // Of the bytes, not of the text: several texts stand for the same bytes in base64.
    const hash = createHash('sha256').update(ciphertext).digest();
    return { target: { addonId, attachmentId }, accountId, tokenId, expiresAt, hash };
  }

  private open(keyId: string, ciphertext: Buffer): Sealed {
    try {
      return JSON.parse(this.keys.open({ keyId, ciphertext }, CONTEXT)) as Sealed;
    } catch (cause) {
      throw ssoErrors.sso_ticket_invalid({ cause });
    }
  }
}

type Sealed = SsoTarget & { accountId: AccountId; tokenId: TokenId; expiresAtMs: number };
