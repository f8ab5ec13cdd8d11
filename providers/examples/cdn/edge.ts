import { request, type Dispatcher } from 'undici';
import { ProviderError, type Clock } from '../../kit/index.js';
import { SiteCache, type StoredAnswer } from './cache.js';
import { freshSeconds } from './freshness.js';

/** A site that the edge answers for. */
export interface Site {
  uuid: string;
  origin: string;
  cacheBytes: number;
}

/** An answer for a visitor. */
export interface EdgeAnswer extends Pick<StoredAnswer, 'status' | 'headers' | 'body'> {
  cache: 'HIT' | 'MISS';
  ageSeconds: number;
}

const ORIGIN_TIMEOUT_MS = 10_000;
const ANSWER_BYTES_MAX = 10 * 1024 * 1024;

/** What of an origin's answer a visitor gets; cookies are not among it, since an answer is for everybody. */
const PASSED = ['content-type', 'cache-control', 'etag', 'last-modified', 'location', 'content-language'];

/** Fetches from origins, and keeps what they allow to be kept. */
export class Edge {
  private readonly caches = new Map<string, SiteCache>();
  private readonly underWay = new Map<string, Promise<StoredAnswer>>();

  constructor(private readonly clock: Clock) {}

  async get(site: Site, path: string): Promise<EdgeAnswer> {
    const now = this.clock.now().getTime();
    const cache = this.cacheOf(site);
    const known = cache.find(path, now);
    if (known !== null)
      return { ...known, cache: 'HIT', ageSeconds: Math.floor((now - known.storedAt) / 1000) };
    return { ...(await this.fetchOnce(site, cache, path)), cache: 'MISS', ageSeconds: 0 };
  }

  purge(uuid: string, path: string | null): number {
    return this.caches.get(uuid)?.purge(path) ?? 0;
  }

  forget(uuid: string): void {
    this.caches.delete(uuid);
  }

  facts(uuid: string): { answers: number; bytes: number } {
    return this.caches.get(uuid)?.facts ?? { answers: 0, bytes: 0 };
  }

  private cacheOf({ uuid, cacheBytes }: Site): SiteCache {
    const cache = this.caches.get(uuid) ?? new SiteCache(cacheBytes);
    cache.resize(cacheBytes);
    this.caches.set(uuid, cache);
    return cache;
  }

  /** Many visitors of one path are one visit to the origin. */
  private fetchOnce(site: Site, cache: SiteCache, path: string): Promise<StoredAnswer> {
    const key = `${site.uuid} ${site.origin} ${path}`;
    const known = this.underWay.get(key);
    if (known !== undefined) return known;
    const fetching = this.fetch(site, cache, path).finally(() => this.underWay.delete(key));
    this.underWay.set(key, fetching);
    return fetching;
  }

  private async fetch({ uuid, origin }: Site, cache: SiteCache, path: string): Promise<StoredAnswer> {
    const asked = this.clock.now().getTime();
    const answer = await ask(`${origin}${path}`);
    const headers = plainHeaders(answer.response);
    const seconds = freshSeconds(answer.response.statusCode, headers);
    const stored: StoredAnswer = {
      status: answer.response.statusCode,
      headers: Object.fromEntries(Object.entries(headers).filter(([name]) => PASSED.includes(name))),
      body: answer.body,
      storedAt: asked,
      freshUntil: asked + seconds * 1000,
    };
    // Not into a cache that was given up meanwhile.
    if (seconds > 0 && this.caches.get(uuid) === cache) cache.store(path, stored);
    return stored;
  }
}

async function ask(url: string): Promise<{ response: Dispatcher.ResponseData; body: Buffer }> {
  try {
    const response = await request(url, {
      headers: { accept: '*/*', 'user-agent': 'souk-cdn' },
      signal: AbortSignal.timeout(ORIGIN_TIMEOUT_MS),
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) throw new Error('too large');
      chunks.push(chunk);
    }
    return { response, body: Buffer.concat(chunks) };
  } catch {
    throw new ProviderError(502, 'origin_failed', 'The origin gave no answer, or one that is too large.');
  }
}

function plainHeaders({ headers }: Dispatcher.ResponseData): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
}
