import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { startPostgres } from '../../engines/index.js';
import {
  answers,
  escapeHtml,
  isSame,
  ProviderError,
  refuse,
  type ProviderContext,
  type ProviderDefinition,
  type ProviderParts,
  type Resource,
} from '../../kit/index.js';
import { Edge } from './edge.js';
import { parseOrigin, readOriginHosts } from './origin.js';

const BAD_ORIGIN =
  'An origin is http://HOST[:PORT] or https://HOST[:PORT], at a host that this service may ask.';

/** A caching reverse proxy for one origin. */
export const cdn: Omit<ProviderDefinition, 'module'> = {
  database: (home) => startPostgres({ home, name: 'provider' }),
  migrations: [
    {
      name: 'cdn-1-sites',
      sql: 'CREATE TABLE public.sites (uuid uuid CONSTRAINT sites_pkey PRIMARY KEY, origin text)',
    },
  ],
  start: startCdn,
};

function startCdn(context: ProviderContext): ProviderParts {
  const { database, publicUrl } = context;
  const edge = new Edge(context.clock);
  const hosts = readOriginHosts(context.env.CDN_ORIGINS);
  return {
    admit: async (_tx, { options }) => {
      if (options.origin !== undefined && parseOrigin(options.origin, hosts) === null)
        throw refuse(BAD_ORIGIN);
    },
    draft: ({ options }) => ({
      facts: { origin: options.origin ?? '' },
      secrets: { key: randomBytes(24).toString('base64url') },
    }),
    create: async ({ uuid, facts }) => {
      await database.query('INSERT INTO public.sites VALUES ($1, $2) ON CONFLICT DO NOTHING', [
        uuid,
        parseOrigin(facts.origin, hosts),
      ]);
    },
    destroy: async ({ uuid }) => {
      edge.forget(uuid);
      await database.query('DELETE FROM public.sites WHERE uuid = $1', [uuid]);
    },
    credentials: ({ uuid, secrets }) => ({
      CDN_URL: `${publicUrl()}/edge/${uuid}`,
      CDN_KEY: secrets.key ?? '',
    }),
    dashboard: async ({ uuid }) => {
      const { answers: kept, bytes } = edge.facts(uuid);
      const origin = escapeHtml((await originOf(context, uuid)) ?? 'not set yet');
      return `<!doctype html><title>CDN</title><h1>CDN</h1><p>Origin: ${origin}</p><p>${kept} answers, ${bytes} bytes.</p>`;
    },
    actions: {
      purge: ({ uuid }, { params: { path } }) => {
        const purged = edge.purge(uuid, typeof path === 'string' ? path : null);
        return { result: { purged }, message: `${purged} answers are gone.` };
      },
      usage: ({ uuid }) => ({ result: edge.facts(uuid) }),
    },
    routes: (server) => addEdgeRoutes(server, context, edge, hosts),
  };
}

type SiteRequest = FastifyRequest<{ Params: { uuid: string } }>;

function addEdgeRoutes(
  server: FastifyInstance,
  context: ProviderContext,
  edge: Edge,
  hosts: string[] | '*',
): void {
  const options = { config: { public: true } };
  const path = '/edge/:uuid';
  server.get(`${path}/*`, options, async (request: SiteRequest, reply) => {
    const resource = await context.find(request.params.uuid);
    if (resource === null) throw answers.resourceNotFound();
    const origin = await originOf(context, resource.uuid);
    if (origin === null)
      throw new ProviderError(503, 'origin_missing', 'No origin is set: PUT {"origin": "…"} to CDN_URL.');
    const cacheBytes = cacheBytesOf(context, resource.plan);
    const answer = await edge.get({ uuid: resource.uuid, origin, cacheBytes }, pathBehind(request));
    return reply
      .code(answer.status)
      .headers({ ...answer.headers, 'x-cache': answer.cache, age: String(answer.ageSeconds) })
      .send(answer.body);
  });
  server.put(path, options, async (request: SiteRequest, reply) => {
    const { uuid } = await owned(context, request);
    const origin = parseOrigin((request.body as { origin?: unknown } | null)?.origin, hosts);
    if (origin === null) throw refuse(BAD_ORIGIN);
    await context.database.query('UPDATE public.sites SET origin = $2 WHERE uuid = $1', [uuid, origin]);
    edge.purge(uuid, null);
    return reply.code(204).send();
  });
  server.delete(path, options, async (request: SiteRequest) => {
    const { uuid } = await owned(context, request);
    return { purged: edge.purge(uuid, null) };
  });
  server.delete(`${path}/*`, options, async (request: SiteRequest) => {
    const { uuid } = await owned(context, request);
    return { purged: edge.purge(uuid, pathBehind(request).split('?')[0] ?? '') };
  });
}

/** The resource whose key the caller has; 401 for all others, whether there is such a resource or not. */
async function owned({ find }: ProviderContext, request: SiteRequest): Promise<Resource> {
  const resource = await find(request.params.uuid);
  const given = (request.headers.authorization ?? '').replace(/^bearer /i, '');
  if (resource === null || !isSame(given, resource.secrets.key ?? '')) throw answers.unauthorized();
  return resource;
}

async function originOf({ database }: ProviderContext, uuid: string): Promise<string | null> {
  const [row] = await database.query<{ origin: string | null }>(
    'SELECT origin FROM public.sites WHERE uuid = $1',
    [uuid],
  );
  return row?.origin ?? null;
}

function cacheBytesOf({ manifest }: ProviderContext, plan: string): number {
  const bytes = manifest.plans.find(({ id }) => id === plan)?.features.cache_bytes;
  return typeof bytes === 'number' ? bytes : 0;
}

/** With its slash and its query, as the visitor wrote it: it is put behind an origin, which has no path. */
function pathBehind({ raw, params }: SiteRequest): string {
  return (raw.url ?? '').slice(`/edge/${params.uuid}`.length);
}
