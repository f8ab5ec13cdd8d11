import { callPlatform, type Patience, PATIENCE, type PlatformCall, PlatformError } from './platform-call.js';
import type { PlatformTokens } from './platform-tokens.js';

/** What the platform says of an add-on; it may say more. */
export interface PlatformAddon {
  id: string;
  name: string;
  state: string;
  plan: { id: string; name: string };
  app: { id: string; name: string } | null;
  config_vars: string[];
  [field: string]: unknown;
}

const ACCEPT = 'application/vnd.heroku+json; version=3';

/**
 * The platform's API as a provider may use it: about its own resources, each with the token of that resource. Every
 * call is repeated a few times, and throws a `PlatformError` after that, or `NoGrant`.
 */
export class PlatformClient {
  constructor(
    private readonly tokens: PlatformTokens,
    private readonly patience: Patience = PATIENCE,
  ) {}

  async addon(uuid: string): Promise<PlatformAddon> {
    return (await this.call(uuid, 'GET', `/addons/${uuid}`)) as PlatformAddon;
  }

  /** The config vars that this add-on exports, by their full names. */
  async config(uuid: string): Promise<Record<string, string>> {
    return fromList(await this.call(uuid, 'GET', `/addons/${uuid}/config`));
  }

  /**
   * Sets config vars by their full names; null takes one away. On a finished add-on this is a release, and a restart,
   * of every app that it is attached to.
   */
  async setConfig(uuid: string, vars: Record<string, string | null>): Promise<Record<string, string>> {
    const config = Object.entries(vars).map(([name, value]) => ({ name, value }));
    return fromList(await this.call(uuid, 'PATCH', `/addons/${uuid}/config`, { config }));
  }

  /** The resource is made. May be said twice. */
  async finishProvision(uuid: string): Promise<void> {
    await this.call(uuid, 'POST', `/addons/${uuid}/actions/provision`);
  }

  /** The resource could not be made, or is gone now. May be said twice. */
  async finishDeprovision(uuid: string): Promise<void> {
    await this.call(uuid, 'POST', `/addons/${uuid}/actions/deprovision`);
  }

  /** Any other call of the platform's API, e.g. `/addons/…/addon-attachments`. */
  async call(uuid: string, method: PlatformCall['method'], path: string, body?: unknown): Promise<unknown> {
    const url = `${await this.tokens.platformUrl(uuid)}${path}`;
    const token = await this.tokens.access(uuid);
    try {
      return await this.send(method, url, token, body);
    } catch (error) {
      if (!(error instanceof PlatformError) || error.status !== 401) throw error;
      // Resetting the client secret ends all access tokens before their time.
      return this.send(method, url, await this.tokens.access(uuid, token), body);
    }
  }

  private send(method: PlatformCall['method'], url: string, token: string, body: unknown): Promise<unknown> {
    return callPlatform(
      {
        method,
        url,
        headers: {
          accept: ACCEPT,
          authorization: `Bearer ${token}`,
          ...(method === 'GET' ? {} : { 'content-type': 'application/json' }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
      },
      this.patience,
    );
  }
}

function fromList(answer: unknown): Record<string, string> {
  const list: unknown[] = Array.isArray(answer) ? answer : [];
  return Object.fromEntries(
    list.flatMap((one) => {
      const { name, value } = (one ?? {}) as { name?: unknown; value?: unknown };
      return typeof name === 'string' && typeof value === 'string' ? [[name, value]] : [];
    }),
  );
}
