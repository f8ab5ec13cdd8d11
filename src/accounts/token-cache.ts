import { Injectable, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Notifications } from '../kernel/db/notifications.js';
import type { TokenHolder } from './account.repository.js';

const TOKENS_MAX = 10_000;
/** A backstop only: what changes is told at once. */
const KEPT_MS = 60_000;

/**
 * Remembers whose tokens are used, so that a request need not ask again. PostgreSQL tells every process of a token or
 * an account that changes; while that cannot be heard, nothing is remembered.
 */
@Injectable()
export class TokenCache implements OnModuleInit {
  private readonly holders = new LRUCache<string, TokenHolder>({ max: TOKENS_MAX, ttl: KEPT_MS });
  /** Grows with each thing forgotten: a look-up that began before must not be remembered after. */
  private generation = 0;

  constructor(private readonly notifications: Notifications) {}

  onModuleInit(): void {
    this.notifications.listen('souk_tokens', {
      onNotice: (hash) => this.forget(hash === '' ? null : hash),
      onGap: () => this.forget(null),
    });
  }

  /** The holder of a token by its hash, from memory or by `look`. */
  async find(hash: Buffer, look: (hash: Buffer) => Promise<TokenHolder | null>): Promise<TokenHolder | null> {
    const key = hash.toString('hex');
    const known = this.notifications.isLive ? this.holders.get(key) : undefined;
    if (known !== undefined) return known;
    const { generation } = this;
    const found = await look(hash);
    if (found !== null && this.notifications.isLive && generation === this.generation)
      this.holders.set(key, found);
    return found;
  }

  /** By this process itself, which need not wait to be told. */
  forget(hash: string | null): void {
    this.generation += 1;
    if (hash === null) this.holders.clear();
    else this.holders.delete(hash);
  }
}
