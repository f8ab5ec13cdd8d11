import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { isWebAddress, ssoParams, type SsoFacts } from './sso.js';

const FACTS: SsoFacts = {
  addonId: '01234567-89ab-4def-8123-456789abcdef',
  providerId: '123',
  salt: '2f97bfa52ca102f8874716e2eb1d3b4920ad0be4',
  account: { id: 'a0000000-0000-4000-8000-000000000000', email: 'u@souk.test' },
  app: 'shop',
  contextApp: 'shop-staging',
  service: { slug: 'acme', name: 'Acme' },
  services: [
    { slug: 'acme', name: 'Acme' },
    { slug: 'other', name: 'Öther' },
  ],
};
const AT = new Date(1_267_597_772_999);

describe('ssoParams', () => {
  it('has every field of the partner contract, its tokens among them', () => {
    const { 'nav-data': nav, ...params } = ssoParams(FACTS, AT);
    assert.deepEqual(params, {
      resource_id: FACTS.addonId,
      // Made with sha1sum and sha256sum.
      resource_token: '3567f3d370e5a9ee959159fd039f8925916246b8',
      user_scoped_resource_token: 'bcc8a21590b20d96927232a3ff2ca792ae172897369337091f4f45dbab99b04c',
      timestamp: '1267597772',
      email: 'u@souk.test',
      user_id: FACTS.account.id,
      app: 'shop',
      context_app: 'shop-staging',
      id: '123',
      // The vector of kensa.
      token: 'bb466eb1d6bc345d11072c3cd25c311f21be130d',
    });
    assert.match(nav ?? '', /^[\w-]+$/);
    assert.deepEqual(JSON.parse(Buffer.from(nav ?? '', 'base64url').toString()), {
      addon: 'Acme',
      appname: 'shop-staging',
      addons: [
        { slug: 'acme', name: 'Acme', current: true },
        { slug: 'other', name: 'Öther' },
      ],
    });
  });
});

describe('isWebAddress', () => {
  it('is what a browser may be sent to', () => {
    for (const address of ['https://acme.test/sso', 'http://127.0.0.1:5001/sso'])
      assert.equal(isWebAddress(address), true, address);
    for (const address of ['javascript:alert(1)', 'data:text/html,x', '/sso', '', 'file:///etc/passwd'])
      assert.equal(isWebAddress(address), false, address);
  });
});
