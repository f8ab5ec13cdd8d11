import assert from 'node:assert/strict';
import { it } from 'vitest';
import { ssoForm } from './sso-form.js';

it('signs as the vector of the contract does', () => {
  const form = ssoForm({
    uuid: '123',
    id: '123',
    salt: '2f97bfa52ca102f8874716e2eb1d3b4920ad0be4',
    service: { slug: 'acme', name: 'Acme' },
    user: { id: 'u', email: 'a@b.test' },
    app: 'shop',
    at: new Date(1_267_597_772_000),
  });
  assert.equal(form.timestamp, '1267597772');
  assert.equal(form.token, 'bb466eb1d6bc345d11072c3cd25c311f21be130d');
  assert.equal(form.resource_token, form.token);
  assert.match(form.user_scoped_resource_token ?? '', /^[0-9a-f]{64}$/);
  assert.deepEqual(JSON.parse(Buffer.from(form['nav-data'] ?? '', 'base64url').toString()), {
    addon: 'Acme',
    appname: 'shop',
    addons: [{ slug: 'acme', name: 'Acme', current: true }],
  });
});
