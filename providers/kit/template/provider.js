import { randomBytes } from 'node:crypto';
import { answers, defineProvider, escapeHtml, isSame, refuse } from 'souk/kit';
import { startPostgres } from 'souk/engines';

// A store of JSON values over HTTP, one for each add-on. Put your service in its place.
await defineProvider({
  module: import.meta.url,
  // Where SOUK_PROVIDER_DATABASE_URL names a PostgreSQL, that one is used instead.
  database: (home) => startPostgres({ home, name: 'provider' }),
  migrations: [
    {
      name: '1-stores',
      sql: `
        CREATE TABLE public.stores (uuid uuid PRIMARY KEY, values_max integer NOT NULL);
        CREATE TABLE public.entries (
          store uuid REFERENCES public.stores ON DELETE CASCADE,
          name text,
          value jsonb NOT NULL,
          PRIMARY KEY (store, name)
        );`,
    },
  ],
  start: ({ manifest, database, publicUrl, find }) => {
    const valuesMax = (plan) => manifest.plans.find(({ id }) => id === plan)?.features.values;
    const count = async (db, uuid) => {
      const [row] = await db.query('SELECT count(*)::int AS count FROM public.entries WHERE store = $1', [
        uuid,
      ]);
      return row.count;
    };
    // Whoever changes a store, or its plan, holds its row; so that both see the same count.
    const hold = (tx, uuid) =>
      tx.query('SELECT values_max FROM public.stores WHERE uuid = $1 FOR UPDATE', [uuid]);

    return {
      // Decides names and secrets. They are stored before anything is made, and encrypted where they are secret.
      draft: () => ({ facts: {}, secrets: { key: randomBytes(24).toString('base64url') } }),

      // Makes it. May be called again after a crash: what is there is taken as it is.
      create: async ({ uuid, plan }) => {
        await database.query('INSERT INTO public.stores VALUES ($1, $2) ON CONFLICT DO NOTHING', [
          uuid,
          valuesMax(plan),
        ]);
      },

      // Brings it to another plan, or refuses with a sentence that the customer reads.
      resize: ({ uuid }, plan) =>
        database.transaction(async (tx) => {
          await hold(tx, uuid);
          const used = await count(tx, uuid);
          const max = valuesMax(plan);
          if (used > max) throw refuse(`The store holds ${used} values, and ${plan} takes ${max}.`);
          await tx.query('UPDATE public.stores SET values_max = $2 WHERE uuid = $1', [uuid, max]);
        }),

      // Takes it away. May be called again.
      destroy: async ({ uuid }) => {
        await database.query('DELETE FROM public.stores WHERE uuid = $1', [uuid]);
      },

      // The config vars, by the names that the manifest declares.
      credentials: ({ uuid, secrets }) => ({
        __PREFIX___URL: `${publicUrl()}/stores/${uuid}`,
        __PREFIX___KEY: secrets.key,
      }),

      // The page that single sign-on opens.
      dashboard: async ({ uuid, plan }, visitor) => `<!doctype html><title>__NAME__</title>
        <h1>__NAME__</h1>
        <p>Plan ${escapeHtml(plan)}: ${await count(database, uuid)} of ${valuesMax(plan)} values.</p>
        <p>You are ${escapeHtml(visitor.user?.email ?? 'a collaborator')}.</p>`,

      // The service itself. Routes are closed to all but the platform, unless they are marked as public.
      routes: (server) => {
        const store = async ({ params, headers }) => {
          const resource = await find(params.store);
          const given = (headers.authorization ?? '').replace(/^bearer /i, '');
          if (resource === null || !isSame(given, resource.secrets.key)) throw answers.unauthorized();
          return resource.uuid;
        };
        const options = { config: { public: true } };
        server.get('/stores/:store/:name', options, async (request) => {
          const [row] = await database.query(
            'SELECT value FROM public.entries WHERE store = $1 AND name = $2',
            [await store(request), request.params.name],
          );
          if (row === undefined) throw answers.routeNotFound();
          return { value: row.value };
        });
        server.put('/stores/:store/:name', options, async (request, reply) => {
          const uuid = await store(request);
          const { name } = request.params;
          await database.transaction(async (tx) => {
            const [held] = await hold(tx, uuid);
            if (held === undefined) throw answers.resourceGone();
            await tx.query(
              `INSERT INTO public.entries VALUES ($1, $2, $3)
               ON CONFLICT (store, name) DO UPDATE SET value = excluded.value`,
              [uuid, name, JSON.stringify(request.body)],
            );
            if ((await count(tx, uuid)) > held.values_max)
              throw refuse('The store is full: delete values, or choose a larger plan.');
          });
          return reply.code(204).send();
        });
        server.delete('/stores/:store/:name', options, async (request, reply) => {
          await database.query('DELETE FROM public.entries WHERE store = $1 AND name = $2', [
            await store(request),
            request.params.name,
          ]);
          return reply.code(204).send();
        });
      },
    };
  },
}).run();
