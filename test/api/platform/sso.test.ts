import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { Api, assertRefused, ok, type Answer } from '../../support/api.js';
import { FailingOnce } from '../../support/failing-once.js';
import type { AddonBody, AttachmentBody } from '../../support/resources.js';
import { sharingIn } from '../../support/sharing.js';
import { World } from '../../support/world.js';

const SALT = 'salt-of-the-partner';

interface SsoBody {
  method: string;
  action: string;
  params: Record<string, string>;
}

/** A partner's dashboard: lets in who posts a token that it can compute itself. */
class Dashboard {
  readonly visitors: URLSearchParams[] = [];
  private readonly server: Server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const form = new URLSearchParams(text);
      const expected = sha256(
        ['resource_id', 'timestamp', 'user_id', 'email'].map((name) => form.get(name) ?? ''),
      );
      const welcome =
        request.method === 'POST' &&
        request.url === '/sso' &&
        form.get('user_scoped_resource_token') === expected;
      if (welcome) this.visitors.push(form);
      response.writeHead(welcome ? 200 : 403).end();
    });
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/sso`;
  }

  async stop(): Promise<void> {
    await new Promise((resolve) => this.server.close(resolve));
  }
}

function sha256([id, timestamp, user, email]: string[]): string {
  return createHash('sha256').update(`${id}:${SALT}:${timestamp}:${user}:${email}`).digest('hex');
}

let world: World;
let ssoUrl: string;
const dashboard = new Dashboard();
const crashes = new FailingOnce();
beforeAll(async () => {
  ssoUrl = await dashboard.start();
  world = await World.start({ crashPoints: crashes });
  await importWith(ssoUrl);
});
afterAll(async () => {
  await world.stop();
  await dashboard.stop();
});

async function importWith(sso: string | undefined): Promise<void> {
  const api = world.provider.manifest().api as { production: object };
  await world.importManifest({ api: { ...api, production: { ...api.production, sso_url: sso } } });
}

/** As a browser goes there, from an address that the API gave out. */
function visit(
  address: string | null,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Answer<string>> {
  const url = new URL(address ?? '');
  assert.equal(url.origin, world.config.publicUrl);
  return new Api(url.origin, null).send<string>(method, `${url.pathname}${url.search}`, undefined, {
    accept: 'text/html,application/xhtml+xml',
    ...headers,
  });
}

/** The fields of the form on the page. */
function formOf(html: string): SsoBody {
  const plain = (text: string) => text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
  const [, method = '', action = ''] = /<form method="(\w+)" action="([^"]*)">/.exec(html) ?? [];
  const inputs = [...html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)];
  return {
    method,
    action: plain(action),
    params: Object.fromEntries(inputs.map(([, name = '', value = '']) => [plain(name), plain(value)])),
  };
}

function assertPageRefused(answer: Answer<string>, status: number, id: string): void {
  assert.equal(answer.status, status, answer.body);
  assert.ok(answer.body.includes(`Error ID: ${id}`), answer.body);
  assert.match(answer.headers.get('content-type') ?? '', /^text\/html/);
  assert.equal(answer.headers.get('cache-control'), 'no-store');
}

const { shared } = sharingIn(() => world);

const addressOf = async (addon: string, api: Api = world.api) =>
  ok(await api.get<AddonBody>(`/addons/${addon}`)).web_url;

describe('GET /apps/:app/addons/:addon/sso', () => {
  it('gives a form with all three tokens, made for the moment and the app', async () => {
    const { home, away, addon } = await shared();
    const me = ok(await world.api.get<{ id: string; email: string }>('/account'));
    for (const app of [home, away]) {
      const answer = await world.api.get<SsoBody>(`/apps/${app.name}/addons/${addon.name}/sso`);
      const { method, action, params } = ok(answer);
      assert.deepEqual([method, action], ['post', ssoUrl]);
      assert.equal(answer.headers.get('cache-control'), 'no-store');
      const timestamp = params.timestamp ?? '';
      assert.ok(Math.abs(Number(timestamp) - world.clock.now().getTime() / 1000) < 30);
      const sha1 = (id: string) => createHash('sha1').update(`${id}:${SALT}:${timestamp}`).digest('hex');
      const { 'nav-data': nav, ...fields } = params;
      assert.deepEqual(fields, {
        resource_id: addon.id,
        resource_token: sha1(addon.id),
        user_scoped_resource_token: sha256([addon.id, timestamp, me.id, me.email]),
        timestamp,
        email: me.email,
        user_id: me.id,
        app: home.name,
        context_app: app.name,
        id: addon.provider_id,
        token: sha1(addon.provider_id ?? ''),
      });
      assert.deepEqual(JSON.parse(Buffer.from(nav ?? '', 'base64url').toString()), {
        addon: 'Test Postgres',
        appname: app.name,
        addons: [{ slug: 'pg', name: 'Test Postgres', current: true }],
      });
    }
    const opened = await world.database.query(
      `SELECT 1 FROM audit_events WHERE action = 'addon.opened' AND subject_id = $1`,
      [addon.id],
    );
    assert.equal(opened.length, 2);
    const stored = await world.database.query(
      `SELECT 1 FROM providers WHERE providers::text LIKE '%' || $1 || '%'`,
      [SALT],
    );
    assert.deepEqual(stored, []);
  });

  it('is refused where there is no dashboard, and while there is nothing to open', async () => {
    const app = await world.newApp();
    const addon = await world.addAddon(app.name);
    const path = `/apps/${app.name}/addons/${addon.name}/sso`;
    for (const url of [undefined, 'javascript:alert(1)']) {
      await importWith(url);
      try {
        assertRefused(await world.api.get(path), 422, 'sso_unavailable');
        assertPageRefused(await visit(await addressOf(addon.id)), 422, 'sso_unavailable');
      } finally {
        await importWith(ssoUrl);
      }
    }
    world.provider.onProvision({ status: 500 });
    const young = await world.addAddon(app.name);
    assertRefused(await world.api.get(`/apps/${app.name}/addons/${young.name}/sso`), 422, 'sso_unavailable');
    await world.runUntilQuiet();
    const elsewhere = await world.newApp();
    assertRefused(await world.api.get(`/apps/${elsewhere.name}/addons/${addon.name}/sso`), 404, 'not_found');
    assertRefused(await (await world.newAccount()).get(path), 404, 'not_found');
  });
});

describe('web_url', () => {
  it('leads to a page that posts the form to the provider, who lets the user in', async () => {
    const { home, addon } = await shared();
    const page = await visit(await addressOf(addon.id));
    assert.equal(page.status, 200);
    assert.deepEqual(
      ['cache-control', 'referrer-policy', 'x-frame-options'].map((name) => page.headers.get(name)),
      ['no-store', 'no-referrer', 'DENY'],
    );
    assert.match(page.headers.get('content-security-policy') ?? '', /^default-src 'none'; /);
    const { action, params } = formOf(page.body);
    const entered = await fetch(action, { method: 'POST', body: new URLSearchParams(params) });
    assert.equal(entered.status, 200);
    const visitor = dashboard.visitors.at(-1);
    assert.deepEqual([visitor?.get('resource_id'), visitor?.get('context_app')], [addon.id, home.name]);
  });

  it('of an attachment tells the provider which app the user came from', async () => {
    const { home, away, attachment } = await shared();
    const resolved = await world.api.post<AttachmentBody[]>('/actions/addon-attachments/resolve', {
      addon_attachment: 'DATABASE',
      app: away.name,
    });
    const found = await world.api.get<AttachmentBody>(`/addon-attachments/${attachment.id}`);
    for (const address of [ok(resolved)[0]?.web_url ?? null, ok(found).web_url]) {
      const { params } = formOf((await visit(address)).body);
      assert.deepEqual([params.app, params.context_app], [home.name, away.name]);
    }
  });

  it('works once, for one thing, for 60 seconds', async () => {
    const { addon, attachment } = await shared();
    const address = (await addressOf(addon.id)) ?? '';
    assert.equal((await visit(address)).status, 200);
    assertPageRefused(await visit(address), 403, 'sso_ticket_invalid');

    const late = (await addressOf(addon.id)) ?? '';
    assert.equal((await visit(late.replace(addon.id, attachment.id))).status, 403);
    const flipped = late.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A')).replace(/.(?=...$)/, '_');
    assert.equal((await visit(flipped)).status, 403);
    for (const ticket of ['', '?ticket=', '?ticket=k1.AAAA', '?ticket=k9.AAAA', '?ticket=x&ticket=y'])
      assertPageRefused(await visit(late.replace(/\?.*$/, ticket)), 403, 'sso_ticket_invalid');
    world.clock.advance(60_000);
    assertPageRefused(await visit(late), 403, 'sso_ticket_invalid');
    assert.equal((await visit(await addressOf(addon.id))).status, 200);
  });

  it('is the same ticket however its text is written, and of many who use it at once one gets in', async () => {
    const { addon } = await shared();
    const address = (await addressOf(addon.id)) ?? '';
    const answers = await Promise.all(Array.from({ length: 8 }, () => visit(address)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [
      200,
      ...Array.from({ length: 7 }, () => 403),
    ]);
    // The last letter of base64 may hold bits that mean nothing.
    const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'];
    const others = await Promise.all(letters.map((letter) => visit(address.replace(/.$/, letter))));
    assert.ok(others.every(({ status }) => status === 403));
    const kept = await world.database.query<{ ticket_hash: Buffer }>(
      'SELECT ticket_hash FROM sso_ticket_uses WHERE addon_id = $1',
      [addon.id],
    );
    assert.deepEqual(
      kept.map(({ ticket_hash }) => ticket_hash.length),
      [32],
    );
  });

  it('is used up by the commit, and by nothing before it', async () => {
    const { addon } = await shared();
    const address = (await addressOf(addon.id)) ?? '';
    crashes.at = 'sso.redeem.before_commit';
    assert.equal((await visit(address)).status, 500);
    assert.equal((await visit(address)).status, 200);
    const other = await addressOf(addon.id);
    crashes.at = 'sso.redeem.after_commit';
    assert.equal((await visit(other)).status, 500);
    assertPageRefused(await visit(other), 403, 'sso_ticket_invalid');
  });

  it('is not used up by what only looks ahead', async () => {
    const { addon } = await shared();
    const address = (await addressOf(addon.id)) ?? '';
    assert.equal((await visit(address, {}, 'HEAD')).status, 403);
    assert.equal((await visit(address, { 'sec-purpose': 'prefetch' })).status, 403);
    assert.equal((await visit(address)).status, 200);
  });

  it('dies with the access of who asked for it, and with the token', async () => {
    const { addon, away } = await shared();
    const guest = await world.newAccount();
    const { email } = ok(await guest.get<{ email: string }>('/account'));
    ok(await world.api.post(`/apps/${away.name}/collaborators`, { user: email }));
    // Of the attached app alone: the user comes from there.
    assert.equal(formOf((await visit(await addressOf(addon.id, guest))).body).params.context_app, away.name);
    const address = await addressOf(addon.id, guest);
    ok(await world.api.delete(`/apps/${away.name}/collaborators/${email}`));
    assertPageRefused(await visit(address), 404, 'not_found');

    ok(await world.api.post(`/apps/${away.name}/collaborators`, { user: email }));
    const made = ok(
      await guest.post<{ id: string; access_token: { token: string } }>('/oauth/authorizations', {}),
    );
    const other = new Api(world.config.publicUrl, made.access_token.token);
    const doomed = await addressOf(addon.id, other);
    ok(await guest.delete(`/oauth/authorizations/${made.id}`));
    assertPageRefused(await visit(doomed), 403, 'sso_ticket_invalid');
  });

  it('has no ticket in lists, nor for a token that may only read', async () => {
    const { home, addon, attachment } = await shared();
    const reader = ok(
      await world.api.post<{ access_token: { token: string } }>('/oauth/authorizations', {
        scope: ['addons:read'],
      }),
    );
    const readOnly = new Api(world.config.publicUrl, reader.access_token.token);
    const page = `${world.config.publicUrl}/sso/${addon.id}`;
    assert.equal(await addressOf(addon.id, readOnly), page);
    assertPageRefused(await visit(page), 403, 'sso_ticket_invalid');
    const listed = ok(await world.api.get<AddonBody[]>(`/apps/${home.name}/addons`));
    assert.equal(listed[0]?.web_url, page);
    const attachments = ok(await world.api.get<AttachmentBody[]>('/addon-attachments'));
    assert.equal(
      attachments.find(({ id }) => id === attachment.id)?.web_url,
      `${world.config.publicUrl}/sso/${attachment.id}`,
    );
  });

  it('answers programs with the refusal as everywhere, and is in no log or table', async () => {
    const { addon } = await shared();
    const address = (await addressOf(addon.id)) ?? '';
    assertRefused(await visit(`${address}x`, { accept: '*/*' }), 403, 'sso_ticket_invalid');
    const ticket = address.split('.').at(-1) ?? '';
    ok(await visit(address));
    for (const table of ['sso_ticket_uses', 'audit_events'])
      assert.deepEqual(
        await world.database.query(`SELECT 1 FROM ${table} t WHERE t::text LIKE '%' || $1 || '%'`, [ticket]),
        [],
      );
  });
});
