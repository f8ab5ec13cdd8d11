import type { IncomingMessage } from 'node:http';

const BODY_BYTES_MAX = 1024 * 1024;

/** A request of a provider to the platform, read. */
export interface CallBack {
  method: string;
  path: string;
  bearer: string | null;
  json: unknown;
  /** Of `/oauth/token`: a form, JSON or the query string, as providers in the field send them. */
  fields: Record<string, string>;
}

export type PlatformRoute =
  { name: 'token' } | { name: 'addon' | 'config' | 'provision' | 'deprovision'; uuid: string };

/** Which call this is, or null. */
export function matchPlatformRoute({
  method,
  path,
}: Pick<CallBack, 'method' | 'path'>): PlatformRoute | null {
  if (path === '/oauth/token') return method === 'POST' ? { name: 'token' } : null;
  const [, addons, uuid, ...rest] = path.split('/');
  if (addons !== 'addons' || uuid === undefined || uuid === '') return null;
  switch (`${method} ${rest.join('/')}`) {
    case 'GET ':
      return { name: 'addon', uuid };
    case 'GET config':
    case 'PATCH config':
      return { name: 'config', uuid };
    case 'POST actions/provision':
      return { name: 'provision', uuid };
    case 'POST actions/deprovision':
      return { name: 'deprovision', uuid };
    default:
      return null;
  }
}

/** Reads a request; null where its body is too large, breaks off, or is no JSON though it says so. */
export async function readCallBack(request: IncomingMessage): Promise<CallBack | null> {
  const body = await readText(request);
  if (body === null) return null;
  const address = `http://platform${request.url ?? '/'}`;
  if (!URL.canParse(address)) return null;
  const url = new URL(address);
  const isForm = (request.headers['content-type'] ?? '').includes('form');
  // An empty body with a JSON content type is what real providers send to the actions.
  const json = body.trim() === '' || isForm ? null : parse(body);
  if (json === undefined && url.pathname !== '/oauth/token') return null;
  const [scheme = '', token] = (request.headers.authorization ?? '').split(' ');
  return {
    method: request.method ?? '',
    path: url.pathname,
    bearer: scheme.toLowerCase() === 'bearer' ? (token ?? null) : null,
    json,
    fields: {
      ...Object.fromEntries(url.searchParams),
      ...(typeof json === 'object' && json !== null
        ? Object.fromEntries(Object.entries(json).map(([name, value]) => [name, String(value)]))
        : Object.fromEntries(new URLSearchParams(body))),
    },
  };
}

async function readText(request: IncomingMessage): Promise<string | null> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of request) {
      bytes += (part as Buffer).length;
      if (bytes > BODY_BYTES_MAX) return null;
      parts.push(part as Buffer);
    }
  } catch {
    // The provider broke off; there is nobody to answer.
    return null;
  }
  return Buffer.concat(parts).toString('utf8');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
