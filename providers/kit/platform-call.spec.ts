import assert from 'node:assert/strict';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'vitest';
import { callPlatform, PlatformError, readRetryAfter } from './platform-call.js';

type Turn = (response: ServerResponse) => void;

const answer =
  (status: number, body: string, headers: Record<string, string> = {}): Turn =>
  (response) => {
    response.writeHead(status, headers).end(body);
  };

describe('callPlatform', () => {
  let server: Server;
  let turns: Turn[];
  let calls: number;
  beforeEach(async () => {
    turns = [];
    calls = 0;
    server = createServer((_request, response) => {
      const turn = turns[calls] ?? turns.at(-1);
      calls += 1;
      turn?.(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const call = () =>
    callPlatform(
      { method: 'GET', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`, headers: {} },
      { attemptsMax: 3, timeoutMs: 200, delayFirstMs: 1, delayMaxMs: 50 },
    );
  const refusal = async (): Promise<PlatformError> => {
    try {
      await call();
    } catch (error) {
      if (error instanceof PlatformError) return error;
      throw error;
    }
    return assert.fail('it was answered');
  };

  it.each<[string, Turn]>([
    ['503', answer(503, '')],
    ['429', answer(429, '{}', { 'retry-after': '0' })],
    ['408', answer(408, '')],
    ['500 in HTML', answer(500, '<h1>oops</h1>')],
    ['a reset', (response) => response.destroy()],
    ['silence', () => undefined],
    ['half an answer', (response) => response.writeHead(200, { 'content-length': '99' }).write('{')],
    ['an answer without an end', (response) => response.writeHead(200).write('x'.repeat(1_100_000))],
  ])('asks again after %s', async (_name, fault) => {
    turns = [fault, fault, answer(200, '{"a":1}')];
    assert.deepEqual(await call(), { a: 1 });
    assert.equal(calls, 3);
  });

  it('gives up after its attempts', async () => {
    turns = [answer(503, '')];
    const { status, final } = await refusal();
    assert.deepEqual([status, final, calls], [503, false, 3]);
  });

  it.each([400, 401, 403, 404, 410, 422])('takes %i for final', async (status) => {
    turns = [answer(status, '{"id":"no","message":"Never."}')];
    const error = await refusal();
    assert.deepEqual([error.status, error.id, error.final, calls], [status, 'no', true, 1]);
    assert.equal(error.gone, status === 404 || status === 410);
    assert.ok(error.message.endsWith('Never.'));
  });

  it('follows no redirect', async () => {
    turns = [answer(302, '', { location: '/y' })];
    assert.equal((await refusal()).status, 302);
    assert.equal(calls, 1);
  });

  it('does not wait longer than it may, and says how long it was asked to', async () => {
    turns = [answer(503, '', { 'retry-after': '60' })];
    assert.equal((await refusal()).retryAfterMs, 60_000);
    assert.equal(calls, 1);
  });

  it('takes an empty answer', async () => {
    turns = [answer(204, '')];
    assert.equal(await call(), null);
  });
});

describe('readRetryAfter', () => {
  const now = new Date('2026-01-31T12:00:00Z');
  it.each<[string | undefined, number | null]>([
    ['5', 5_000],
    ['Sat, 31 Jan 2026 12:00:30 GMT', 30_000],
    ['Sat, 31 Jan 2026 11:00:00 GMT', 0],
    ['soon', null],
    ['', null],
    [undefined, null],
  ])('of %s is %s', (value, expected) => {
    assert.equal(readRetryAfter(value, now), expected);
  });
});
