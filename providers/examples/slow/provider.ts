import { setTimeout as sleep } from 'node:timers/promises';
import { startPostgres } from '../../engines/index.js';
import {
  answers,
  NoGrant,
  refuse,
  type ProviderContext,
  type ProviderDefinition,
  type ProviderParts,
} from '../../kit/index.js';

/** Shows what else the kit can do: work after the answer, an app's log, webhooks. */
export const slow: Omit<ProviderDefinition, 'module'> = {
  database: (home) => startPostgres({ home, name: 'provider' }),
  migrations: [
    {
      name: 'slow-1-things',
      sql: `
        CREATE TABLE public.things (
          uuid uuid CONSTRAINT things_pkey PRIMARY KEY,
          lines integer NOT NULL DEFAULT 0
        );
        CREATE TABLE public.events (id text CONSTRAINT events_pkey PRIMARY KEY);`,
    },
  ],
  start: startSlow,
};

function startSlow({ database, env, crash, publicUrl, find, platform }: ProviderContext): ProviderParts {
  const takesMs = Number(env.SLOW_MS ?? 5_000);
  const addressOf = (uuid: string) => ({ SLOW_URL: `${publicUrl()}/things/${uuid}` });
  return {
    asynchronous: true,
    draft: ({ options }) => ({
      facts: { fail: options.fail ?? '' },
      secrets: {},
    }),
    create: async ({ uuid, facts }) => {
      await database.query('INSERT INTO public.things VALUES ($1) ON CONFLICT DO NOTHING', [uuid]);
      crash.reach('slow.half-made');
      await sleep(takesMs);
      if (facts.fail !== '') throw refuse('It was asked to fail.');
    },
    destroy: async ({ uuid }) => {
      await database.query('DELETE FROM public.things WHERE uuid = $1', [uuid]);
    },
    // The platform is told by a call of its own, as where the address changes with the plan.
    resize: async ({ uuid }) => {
      await platform?.setConfig(uuid, addressOf(uuid)).catch((error: unknown) => {
        // Made without a grant: the platform knows the address by the answer to the provision alone.
        if (!(error instanceof NoGrant)) throw error;
      });
    },
    credentials: ({ uuid }) => addressOf(uuid),
    receiveLogs: async ({ uuid }, messages) => {
      await database.query('UPDATE public.things SET lines = lines + $2 WHERE uuid = $1', [
        uuid,
        messages.length,
      ]);
    },
    // Where there is no secret for webhooks, none are taken.
    hearWebhook:
      env.SOUK_PROVIDER_WEBHOOK_SECRET === undefined
        ? undefined
        : async ({ id }) => {
            await database.query('INSERT INTO public.events VALUES ($1) ON CONFLICT DO NOTHING', [
              String(id),
            ]);
          },
    routes: (server) => {
      server.get<{ Params: { uuid: string } }>(
        '/things/:uuid',
        { config: { public: true } },
        async ({ params }) => {
          const resource = await find(params.uuid);
          if (resource === null) throw answers.resourceNotFound();
          const [thing] = await database.query<{ lines: number }>(
            'SELECT lines FROM public.things WHERE uuid = $1',
            [resource.uuid],
          );
          const [heard] = await database.query<{ count: number }>(
            'SELECT count(*)::int AS count FROM public.events',
          );
          return { lines: thing?.lines, events: heard?.count };
        },
      );
    },
  };
}
