import { setTimeout as wait } from 'node:timers/promises';
import { ApiError, type ApiClient } from './api-client.js';

interface AddonFacts {
  id: string;
  name: string;
  state: string;
  plan: { name: string };
  addon_service: { name: string };
}

/** An app with an add-on of each service that the catalogue has. */
export interface Seeded {
  app: string;
  addons: { name: string; plan: string; state: string }[];
  failed: { service: string; why: string }[];
  config: Record<string, string>;
}

const POLL_MS = 500;
/** A creation that takes longer goes on; the demo shows it as `provisioning`. */
const PATIENCE_MS = 120_000;

/** Makes what is not there yet, through the API alone; run again, it changes nothing. */
export async function seedApp(
  client: ApiClient,
  name: string,
  step: (sentence: string) => void = () => undefined,
): Promise<Seeded> {
  step(`Making the app ${name}`);
  await makeApp(client, name);
  const present = await client.get<AddonFacts[]>(`/apps/${name}/addons`);
  const services = await client.get<{ name: string; state: string }[]>('/addon-services');
  const failed: Seeded['failed'] = [];
  for (const service of services.filter(({ state }) => state !== 'shutdown')) {
    const known = present.find((addon) => addon.addon_service.name === service.name);
    step(`Provisioning ${service.name}`);
    try {
      const addon = known ?? (await client.post<AddonFacts>(`/apps/${name}/addons`, { plan: service.name }));
      await settled(client, name, addon);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      failed.push({ service: service.name, why: error.message });
    }
  }
  const addons = await client.get<AddonFacts[]>(`/apps/${name}/addons`);
  return {
    app: name,
    addons: addons.map((addon) => ({ name: addon.name, plan: addon.plan.name, state: addon.state })),
    failed,
    config: await client.get<Record<string, string>>(`/apps/${name}/config-vars`),
  };
}

async function makeApp(client: ApiClient, name: string): Promise<void> {
  try {
    await client.get(`/apps/${name}`);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    await client.post('/apps', { name });
  }
}

async function settled(client: ApiClient, app: string, addon: AddonFacts): Promise<void> {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  let current = addon;
  while (current.state === 'provisioning' && !patience.aborted) {
    await wait(POLL_MS);
    current = await client.get<AddonFacts>(`/apps/${app}/addons/${addon.name}`);
  }
}
