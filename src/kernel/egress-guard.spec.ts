import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { Agent, request } from 'undici';
import { EgressGuard } from './egress-guard.js';
import type { EgressRule } from './egress.js';

const address = (text: string): LookupAddress => ({ address: text, family: text.includes(':') ? 6 : 4 });

/** A guard that sees names resolve as the test says, one answer after the other; the last one stays. */
class ScriptedGuard extends EgressGuard {
  asked: string[] = [];

  constructor(
    egressAllow: EgressRule[],
    private readonly answers: LookupAddress[][],
  ) {
    super({ egressAllow });
  }

  protected override resolve(host: string): Promise<LookupAddress[]> {
    this.asked.push(host);
    return Promise.resolve((this.answers.length > 1 ? this.answers.shift() : this.answers[0]) ?? []);
  }
}

let server: Server;
let port: number;
let hits = 0;
beforeAll(async () => {
  server = createServer((_request, response) => {
    hits += 1;
    response.end('inside');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => server.close());

/** What one call through the guard gives: the body, or the code of the error. */
async function call(guard: EgressGuard, url: string): Promise<string> {
  const agent = new Agent({ connect: guard.connector });
  try {
    const response = await request(url, { dispatcher: agent, signal: AbortSignal.timeout(5_000) });
    return await response.body.text();
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  } finally {
    await agent.close();
  }
}

describe('the connector', () => {
  it('connects to an allowed loopback address, by number and by name', async () => {
    const guard = new EgressGuard({ egressAllow: [{ address: '127.0.0.1', port }] });
    assert.equal(await call(guard, `http://127.0.0.1:${port}/`), 'inside');
    assert.equal(await call(guard, `http://localhost:${port}/`), 'inside');
  });

  it.each(['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1'])(
    'does not connect to %s when nothing is allowed',
    async (host) => {
      const before = hits;
      assert.equal(
        await call(new EgressGuard({ egressAllow: [] }), `http://${host}:${port}/`),
        'EGRESS_REFUSED',
      );
      assert.equal(hits, before);
    },
  );

  it('is allowed a port, not the machine', async () => {
    const guard = new EgressGuard({ egressAllow: [{ address: '127.0.0.1', port: port + 1 }] });
    assert.equal(await call(guard, `http://127.0.0.1:${port}/`), 'EGRESS_REFUSED');
  });

  it('is not led inside by a name that resolves otherwise a moment later', async () => {
    const guard = new ScriptedGuard([], [[address('1.1.1.1')], [address('127.0.0.1')]]);
    assert.equal(await guard.problemWith(new URL('https://rebind.test/x')), null);
    const before = hits;
    assert.equal(await call(guard, `https://rebind.test:${port}/x`), 'EGRESS_REFUSED');
    assert.equal(hits, before);
  });

  it('connects to the very address that was judged, resolving the name once', async () => {
    const rule = { address: '127.0.0.1', port };
    const guard = new ScriptedGuard(
      [rule],
      [[address('10.0.0.1'), address('127.0.0.1')], [address('10.0.0.1')]],
    );
    assert.equal(await call(guard, `http://partner.test:${port}/`), 'inside');
    assert.deepEqual(guard.asked, ['partner.test']);
  });
});

describe('problemWith', () => {
  const guard = (...answers: LookupAddress[]) => new ScriptedGuard([], [answers]);
  it.each([
    ['https://acme.test/x', [address('1.1.1.1')], null],
    ['https://acme.test/x', [address('10.0.0.1')], /private address 10\.0\.0\.1/],
    ['https://acme.test/x', [address('10.0.0.1'), address('1.1.1.1')], null],
    ['https://acme.test/x', [], null],
    ['http://acme.test/x', [address('1.1.1.1')], /https/],
    ['http://acme.test/x', [], /https/],
    ['https://169.254.169.254/latest', [address('169.254.169.254')], /private address/],
  ])('%s at %j', async (url, answers, expected) => {
    const problem = await guard(...answers).problemWith(new URL(url));
    if (expected === null) assert.equal(problem, null);
    else assert.match(problem ?? '', expected);
  });
});
