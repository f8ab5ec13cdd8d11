import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { ssoFormPage, ssoRefusalPage } from './sso-page.js';

describe('ssoFormPage', () => {
  const page = ssoFormPage({
    method: 'post',
    action: 'https://acme.test/sso?a="><script>1</script>&b=2',
    params: { app: `"'><img src=x>&amp;`, 'nav-data': 'e30' },
  });

  it('lets nothing out of its attributes', () => {
    assert.equal((page.html.match(/<script>/g) ?? []).length, 1);
    assert.doesNotMatch(page.html, /<img/);
    assert.ok(page.html.includes('value="&#34;&#39;&#62;&#60;img src=x&#62;&#38;amp;"'));
    assert.ok(page.html.includes('action="https://acme.test/sso?a=&#34;&#62;'));
  });

  it('allows its own script and style and a post to the provider, and is kept nowhere', () => {
    const policy = page.headers['content-security-policy'] ?? '';
    assert.match(
      policy,
      /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; frame-ancestors 'none'; form-action https:\/\/acme\.test https:; script-src 'sha256-[^']+'$/,
    );
    assert.equal(page.headers['cache-control'], 'no-store');
    assert.equal(page.headers['referrer-policy'], 'no-referrer');
  });
});

it('a host name cannot add to the policy', () => {
  const { headers } = ssoFormPage({ method: 'post', action: 'https://acme;script-src/sso', params: {} });
  assert.match(headers['content-security-policy'] ?? '', /; form-action https:; script-src 'sha256-[^']+'$/);
});

describe('ssoRefusalPage', () => {
  it('says the sentence and the id, as text', () => {
    const { html, headers } = ssoRefusalPage({ id: 'sso_unavailable', message: 'No <b>dashboard</b>.' });
    assert.ok(html.includes('No &#60;b&#62;dashboard&#60;/b&#62;.') && html.includes('sso_unavailable'));
    assert.doesNotMatch(headers['content-security-policy'] ?? '', /script-src/);
  });
});
