import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, it } from 'vitest';
import { signBadge, type Badge } from '../../src/conformance/badge.js';
import { runSouk, SoukProcess, type Ending } from '../support/souk-process.js';
import { ScriptableProvider, type Habit } from './scriptable-provider.js';

const scratch = mkdtempSync(join(tmpdir(), 'souk-contract-'));
const file = (name: string) => join(scratch, name);
const env = { SOUK_HOME: file('home') };
const read = (name: string) => readFileSync(file(name), 'utf8');

let provider: ScriptableProvider | null = null;
afterEach(async () => {
  await provider?.stop();
  provider = null;
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Starts a provider and writes its manifest; gives it with what comes after `souk`. */
async function begin(
  habit: Habit | null,
  args: string[] = [],
  asynchronous = false,
): Promise<{ running: ScriptableProvider; command: string[] }> {
  const running = await new ScriptableProvider(habit, asynchronous).start();
  provider = running;
  writeFileSync(file('manifest.json'), JSON.stringify(running.manifest()));
  return { running, command: ['provider', 'test', file('manifest.json'), ...args] };
}

async function testHabit(habit: Habit | null, args: string[] = []): Promise<Ending & { output: string }> {
  const { command } = await begin(habit, args);
  return runSouk(command, env);
}

const verify = (name: string, ...args: string[]) =>
  runSouk(['provider', 'verify-badge', file(name), ...args], env);

describe('souk provider test', () => {
  it('reads like a test report, and ends with 0 when every rule holds', async () => {
    const { code, output } = await testHabit(null);
    assert.match(
      output,
      /^scriptable at http:\/\/127\.0\.0\.1:\d+\/heroku\/resources, with a local platform at http:/,
    );
    assert.match(
      output,
      /^PASS {2}repeat-same-id: A provision that is repeated gives the same resource \(\d+ ms\)$/m,
    );
    assert.match(output, /^SKIP {2}async-callback: .*\n {6}The provider answers at once, not with 202\.$/m);
    assert.match(output, /^37 passed, 0 failed, 2 skipped in [\d.]+ s\.\nThe provider conforms\.$/m);
    assert.equal(code, 0, output);
  });

  it('takes the address of the provider as well, and names the manifest that it wants with it', async () => {
    const { running } = await begin(null);
    const address = `${running.url}/heroku/resources`;
    const test = (...more: string[]) =>
      runSouk(['provider', 'test', address, '--only', 'provision-id', ...more], env);
    const good = await test('--manifest', file('manifest.json'));
    assert.match(good.output, /^PASS {2}provision-id/m);
    assert.equal(good.code, 0, good.output);
    const bad = await test('--manifest', file('nowhere.json'));
    assert.match(bad.output, /nowhere\.json cannot be read/);
    assert.notEqual(bad.code, 0);
  });

  it('shows of a failure what was sent, what came back and how to mend it, without secrets and escapes', async () => {
    const { code, output } = await testHabit('no-plan-change', [
      '--only',
      'plan-change',
      '--junit',
      file('junit.xml'),
    ]);
    assert.equal(code, 1, output);
    assert.match(output, /^FAIL {2}plan-change: /m);
    assert.match(output, /^ {6}The change to large ended with HTTP 405\.$/m);
    assert.match(
      output,
      /^ {6}sent {7}PUT http:\/\/127\.0\.0\.1:\d+\/heroku\/resources\/id-[0-9a-f-]+ \{"plan":"large"\}$/m,
    );
    assert.match(output, /^ {6}came back {2}405 \[2J no <b>&"\]\]> •••$/m);
    assert.match(output, /^ {6}rule {7}Partner API v3, plan change$/m);
    assert.match(output, /^ {6}mend it {4}Answer PUT /m);
    assert.match(output, /^The provider does not conform\.$/m);
    const xml = read('junit.xml');
    assert.match(xml, /<testsuite [^>]*tests="5" failures="1" errors="0" skipped="1"/);
    assert.match(xml, /<failure message="The change to large ended with HTTP 405\." type="plan-change">/);
    for (const text of [output, xml]) {
      assert.ok(!text.includes('password-of-the-scriptable'));
      for (const character of ['\u001b', '\u202e']) assert.ok(!text.includes(character));
    }
  });

  it('prints JSON and nothing else with --json', async () => {
    const { command } = await begin('sso-for-ever', ['--only', 'sso-stale', 'deprovision', '--json']);
    const { code, output } = await runSouk(command, env);
    assert.equal(code, 1);
    const report = JSON.parse(output) as {
      ok: boolean;
      complete: boolean;
      counts: Record<string, number>;
      rules: { id: string; verdict: string; exchanges: object[] }[];
    };
    assert.equal(report.ok, false);
    assert.equal(report.complete, false);
    assert.deepEqual(report.counts, { pass: 4, fail: 1, skip: 1 });
    assert.deepEqual(
      report.rules.map(({ id, verdict }) => `${id} ${verdict}`),
      [
        'provision-status pass',
        'provision-json pass',
        'provision-id pass',
        'async-callback skip',
        'sso-stale fail',
        'deprovision pass',
      ],
    );
    assert.equal(report.rules[4]?.exchanges.length, 1);
  });

  it('takes away what it made when it is broken off', async () => {
    const { running, command } = await begin('never-reports', [], true);
    const process = SoukProcess.spawn(command, env);
    await process.waitFor('PASS  provision-id');
    assert.equal(running.live().length, 1);
    const { code } = await process.kill('SIGINT');
    assert.equal(code, 130, process.output);
    assert.match(process.output, /^SKIP {2}async-callback: .*\n {6}The test was broken off\.$/m);
    assert.match(process.output, /^The test was broken off\.$/m);
    assert.deepEqual(running.live(), []);
  });

  it('names what it could not take away, and ends with 1', async () => {
    const { running, command } = await begin('delete-never', ['--only', 'provision-id']);
    const { code, output } = await runSouk(command, env);
    assert.equal(code, 1);
    const [uuid = 'none'] = running.live();
    assert.ok(output.includes(`${uuid} (id id-${uuid}): Its deprovision ended with HTTP 500.`), output);
    assert.match(output, /^The rules hold, but resources were left behind\.$/m);
  });

  it.each([
    [['--only', 'no-such-rule'], /There is no rule no-such-rule\. There are: manifest-fields, accept-header/],
    [['--base-url', 'https://provider.example/heroku/resources'], /is not this machine.*--allow-remote/],
    [['--badge', file('never.json'), '--key', file('manifest.json')], /holds no key in PEM form/],
  ])('refuses %j in one sentence', async (args, sentence) => {
    const { code, output } = await testHabit(null, args);
    assert.equal(code, 1);
    assert.match(output, sentence);
    assert.ok(!output.includes('    at '), output);
  });
});

describe('a badge', () => {
  it('is verified by the key of the folder; a forged one is refused', async () => {
    const made = await testHabit(null, ['--badge', file('badge.json')]);
    assert.equal(made.code, 0, made.output);
    assert.equal(statSync(join(env.SOUK_HOME, 'conformance-key.pem')).mode & 0o777, 0o600);
    const good = await verify('badge.json');
    assert.equal(good.code, 0, good.output);
    assert.match(
      good.output,
      /^The signature is good\.\nscriptable, tested at .*: passed \(37 passed, 0 failed, 2 skipped\)\.$/m,
    );

    const badge = JSON.parse(read('badge.json')) as Badge;
    writeFileSync(
      file('changed.json'),
      JSON.stringify({ ...badge, facts: { ...badge.facts, service: 'another-service' } }),
    );
    const changed = await verify('changed.json');
    assert.equal(changed.code, 1);
    assert.match(changed.output, /The signature does not fit: the badge was changed, or forged\./);

    const stranger = generateKeyPairSync('ed25519').privateKey;
    writeFileSync(file('stranger.json'), JSON.stringify(signBadge(badge.facts, stranger)));
    const foreign = await verify('stranger.json');
    assert.equal(foreign.code, 1);
    assert.match(foreign.output, /another key than the one that you trust/);
  });

  it('of some rules says so and is no proof; it is verified by the public key that is given', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519', {
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    writeFileSync(file('key.pem'), privateKey);
    writeFileSync(file('key.pub.pem'), publicKey);
    const part = ['--only', 'provision-id', '--badge', file('part.json'), '--key', file('key.pem')];
    const made = await testHabit(null, part);
    assert.equal(made.code, 0, made.output);
    const partial = await verify('part.json', '--key', file('key.pub.pem'));
    assert.equal(partial.code, 1);
    assert.match(
      partial.output,
      /^The signature is good\.\n.*: partial \(3 passed, 0 failed, 0 skipped\)\.$/m,
    );
  });
});
