import { ok, type Answer, type Api } from './api.js';
import type { AddonBody, AppBody, AttachmentBody, ReleaseBody } from './resources.js';
import type { World } from './world.js';

/** One add-on on two apps: `home` owns it, `away` has it attached. */
export interface Shared {
  home: AppBody;
  away: AppBody;
  addon: AddonBody;
  attachment: AttachmentBody;
}

/** What tests of sharing ask again and again. `world` is asked for late: it starts after a file was read. */
export function sharingIn(world: () => World) {
  const attach = (
    addon: string,
    app: string,
    body: object = {},
    api: Api = world().api,
  ): Promise<Answer<AttachmentBody>> =>
    api.post<AttachmentBody>('/addon-attachments', { addon: { name: addon }, app: { name: app }, ...body });

  return {
    attach,
    vars: async (app: string, api: Api = world().api): Promise<Record<string, string>> =>
      ok(await api.get<Record<string, string>>(`/apps/${app}/config-vars`)),
    /** Without the app's first. */
    releases: async (app: string, api: Api = world().api): Promise<ReleaseBody[]> =>
      ok(await api.get<ReleaseBody[]>(`/apps/${app}/releases`)).slice(1),
    names: async (app: string, api: Api = world().api): Promise<string[]> =>
      ok(await api.get<AttachmentBody[]>(`/apps/${app}/addon-attachments`)).map(({ name }) => name),
    shared: async (body: object = {}): Promise<Shared> => {
      const [home, away] = [await world().newApp(), await world().newApp()];
      const addon = await world().addAddon(home.name);
      return { home, away, addon, attachment: ok(await attach(addon.name, away.name, body)) };
    },
  };
}
