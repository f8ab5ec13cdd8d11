import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, it } from 'vitest';
import type { ProviderProcess } from '../../postgres/spec-support.js';
import { SampleBench } from '../spec-support.js';
import { classify, wordsOf } from './bayes.js';

describe('classify', () => {
  const evidence = {
    examples: new Map([
      ['ham', 2],
      ['spam', 2],
    ]),
    words: new Map([
      ['ham', 4],
      ['spam', 4],
    ]),
    counts: new Map([
      ['ham', new Map([['meeting', 2]])],
      ['spam', new Map([['money', 2]])],
    ]),
    vocabulary: 4,
  };

  it('weighs words by how often they stood under a label', () => {
    const [best, other] = classify(['money'], evidence);
    assert.equal(best?.label, 'spam');
    // (2 + 1) / (4 + 4 + 1) against (0 + 1) / 9, both labels as likely before.
    assert.ok(Math.abs((best?.probability ?? 0) - 3 / 4) < 1e-9);
    assert.ok(Math.abs((other?.probability ?? 0) - 1 / 4) < 1e-9);
  });

  it('takes a text of many words without losing the numbers', () => {
    const scores = classify(
      Array.from({ length: 2_000 }, () => 'money'),
      evidence,
    );
    assert.equal(scores[0]?.probability, 1);
    assert.equal(scores[1]?.probability, 0);
  });

  it('knows nothing before it learned anything', () => {
    assert.deepEqual(
      classify(['x'], { examples: new Map(), words: new Map(), counts: new Map(), vocabulary: 0 }),
      [],
    );
  });

  it('finds the words of any language', () => {
    assert.deepEqual(wordsOf('Grüße, 世界! It’s 7'), ['grüße', '世界', 'it', 's', '7']);
  });
});

describe('the inference service as a program', () => {
  const bench = new SampleBench();
  let home: string;
  let provider: ProviderProcess;

  beforeAll(async () => {
    home = await bench.home();
    provider = await bench.start('inference', { SOUK_HOME: home });
  });
  afterAll(() => bench.clear());

  const make = async (plan = 'test') => {
    const uuid = randomUUID();
    const answer = await provider.call('POST', '/heroku/resources', { uuid, plan });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    const { INFERENCE_URL: url = '', INFERENCE_KEY: key = '' } = answer.body.config ?? {};
    const post = async (path: string, body: unknown, bearer = key) => {
      const response = await fetch(`${url}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    return { uuid, post };
  };
  const LESSON = [
    { label: 'sport', text: 'The team won the match after a late goal' },
    { label: 'sport', text: 'A goal in the last minute of the game' },
    { label: 'cooking', text: 'Stir the soup and add salt' },
    { label: 'cooking', text: 'Bake the bread until it is brown' },
  ];

  it('learns what it is shown, and tells it apart', async () => {
    const { uuid, post } = await make();
    assert.equal((await post('/classify', { text: 'goal' })).status, 422);
    const learned = await post('/examples', { examples: LESSON });
    assert.deepEqual(learned.body, { examples: 4, labels: ['cooking', 'sport'] });
    assert.equal((await post('/classify', { text: 'What a goal by the team!' })).body.label, 'sport');
    assert.equal((await post('/classify', { text: 'salt for the bread' })).body.label, 'cooking');
    await provider.deprovision(uuid);
  });

  it('keeps tenants apart, and asks each for its key', async () => {
    const [one, other] = await Promise.all([make(), make()]);
    await one.post('/examples', { examples: LESSON });
    assert.equal((await other.post('/classify', { text: 'goal' })).status, 422);
    assert.equal((await one.post('/classify', { text: 'goal' }, 'wrong')).status, 401);
    await provider.deprovision(one.uuid);
    assert.equal((await one.post('/classify', { text: 'goal' })).status, 401);
    await provider.deprovision(other.uuid);
  });

  it('holds to the plan, also when many teach at once', async () => {
    const { uuid, post } = await make('basic');
    const batch = Array.from({ length: 60 }, (_, i) => ({ label: `l${i % 3}`, text: `word${i} and more` }));
    const taught = await Promise.all([1, 2, 3, 4].map(() => post('/examples', { examples: batch })));
    assert.deepEqual(new Set(taught.map(({ status }) => status)), new Set([201]));
    const refused = await provider.changePlan(uuid, 'test');
    assert.equal(refused.status, 422);
    assert.equal(refused.body.message, 'The model has learned from 240 examples, and test takes 200.');
    await provider.deprovision(uuid);
    const small = await make();
    const results = await Promise.all([1, 2, 3, 4].map(() => small.post('/examples', { examples: batch })));
    assert.equal(results.filter(({ status }) => status === 201).length, 3);
    await provider.deprovision(small.uuid);
  });

  it('refuses what it cannot read', async () => {
    const { uuid, post } = await make();
    for (const body of [
      {},
      [],
      { examples: [] },
      { label: 'a' },
      { label: 'a', text: '' },
      { label: 'a', text: '\0' },
    ])
      assert.equal((await post('/examples', body)).status, 422, JSON.stringify(body));
    await provider.deprovision(uuid);
  });

  it('remembers after a kill', async () => {
    const { uuid, post } = await make();
    await post('/examples', { examples: LESSON });
    const { port } = provider;
    await provider.kill();
    provider = await bench.start('inference', { SOUK_HOME: home, PORT: String(port) });
    assert.equal((await post('/classify', { text: 'a late goal' })).body.label, 'sport');
    await provider.deprovision(uuid);
  });
});
