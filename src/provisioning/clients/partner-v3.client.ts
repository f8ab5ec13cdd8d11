import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Agent, request } from 'undici';
import type { ProviderAccess } from '../../catalog/catalog.repository.js';
import { CONFIG, type Config } from '../../kernel/config.js';
import { EgressGuard, EgressRefused } from '../../kernel/egress-guard.js';
import type { Reply } from '../reply.js';
import { ProviderClient, type ActionCall, type ProvisionCall } from './provider-client.js';

/** Compared byte for byte by a provider in the field (partner contract, part b). */
const ACCEPT = 'application/vnd.heroku-addons+json; version=3';
/** Some 200 bytes each: well below what an answer may have. */
const INVENTORY_PAGE = 1_000;
const BODY_BYTES_MAX = 1024 * 1024;

/** The Add-on Partner API v3, platform side. One deadline covers the whole call; redirects are never followed. */
@Injectable()
export class PartnerV3Client extends ProviderClient implements OnApplicationShutdown {
  private readonly agent = new Agent({ connections: 64, keepAliveTimeout: 10_000 });
  /** For providers whose address others chose: every connection is judged where it leads. */
  private readonly guarded: Agent;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    egress: EgressGuard,
  ) {
    super();
    this.guarded = new Agent({ connections: 64, keepAliveTimeout: 10_000, connect: egress.connector });
  }

  provision(access: ProviderAccess, call: ProvisionCall): Promise<Reply> {
    const body = {
      uuid: call.uuid,
      name: call.name,
      plan: call.plan,
      region: call.region,
      callback_url: call.callbackUrl,
      oauth_grant: {
        code: call.grant.code.reveal(),
        expires_at: call.grant.expiresAt.toISOString(),
        type: 'authorization_code',
      },
      options: call.options,
    };
    return this.send('POST', access, access.baseUrl, body);
  }

  changePlan(access: ProviderAccess, id: string, plan: string): Promise<Reply> {
    return this.send('PUT', access, `${access.baseUrl}/${encodeURIComponent(id)}`, { plan });
  }

  deprovision(access: ProviderAccess, id: string): Promise<Reply> {
    return this.send('DELETE', access, `${access.baseUrl}/${encodeURIComponent(id)}`, null);
  }

  runAction(access: ProviderAccess, id: string, name: string, run: ActionCall): Promise<Reply> {
    const { id: runId, params } = run;
    const url = `${access.baseUrl}/${encodeURIComponent(id)}/actions/${encodeURIComponent(name)}`;
    return this.send('POST', access, url, { id: runId, params });
  }

  inventory(access: ProviderAccess, cursor: string | null): Promise<Reply> {
    const url = new URL(access.baseUrl);
    url.searchParams.set('limit', String(INVENTORY_PAGE));
    if (cursor !== null) url.searchParams.set('cursor', cursor);
    return this.send('GET', access, url.href, null);
  }

  /** Calls that are under way still end. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.agent.close(), this.guarded.close()]);
  }

  private async send(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    access: ProviderAccess,
    url: string,
    body: unknown,
  ): Promise<Reply> {
    const sent = { method, url, body };
    const credentials = Buffer.from(`${access.slug}:${access.password.reveal()}`).toString('base64');
    try {
      const response = await request(url, {
        method,
        dispatcher: access.bundled ? this.agent : this.guarded,
        signal: AbortSignal.timeout(this.config.providerTimeoutMs),
        headers: {
          accept: ACCEPT,
          authorization: `Basic ${credentials}`,
          'content-type': 'application/json',
          'user-agent': 'souk',
        },
        body: body === null ? null : JSON.stringify(body),
      });
      const text = await readBounded(response.body);
      if (text === null)
        return { kind: 'unanswered', why: `the answer was larger than ${BODY_BYTES_MAX} bytes`, sent };
      const retryAfter = [response.headers['retry-after']].flat()[0];
      const answer = parse(text);
      return {
        kind: 'answered',
        status: response.statusCode,
        body: answer,
        broken: isBroken(text, answer),
        retryAfter,
        sent,
      };
    } catch (error) {
      return { kind: 'unanswered', why: describe(error), sent };
    }
  }
}

/** The body as text, or null when it is larger than we take. */
async function readBounded(body: AsyncIterable<Buffer> & { destroy(): unknown }): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) {
      body.destroy();
      return null;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Providers answer with all kinds of content types, so only the text decides. null: no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A text that is no JSON may be an answer of its own, such as `ok`; the beginning of an object is none. */
function isBroken(text: string, parsed: unknown): boolean {
  return parsed === null && /^\s*[[{]/.test(text);
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'the call failed';
  if (error instanceof EgressRefused) return `the provider was not called: ${error.message}`;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return code === 'TimeoutError'
    ? 'the provider did not answer in time'
    : `the provider could not be reached (${code})`;
}
