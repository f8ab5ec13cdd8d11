import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import { toCents } from '../kernel/money.js';
import {
  isListed,
  judgeMove,
  mayInstall,
  maySee,
  type InstallVerdict,
  type MoveVerdict,
  type PlanFacts,
  type Standing,
} from './lifecycle.js';
import type { Availability, ServiceState } from './catalog.entity.js';

const STATES: ServiceState[] = ['alpha', 'beta', 'ga', 'shutdown'];
const INSIDERS: Standing[] = ['operator', 'maker', 'invited'];

const plan = (
  cents: number,
  availability: Availability = 'all',
  more: Partial<PlanFacts> = {},
): PlanFacts => ({
  priceCents: toCents(cents),
  priceMetered: false,
  priceContract: false,
  visible: true,
  availability,
  ...more,
});

describe('maySee', () => {
  it('hides alpha from strangers, and nothing else from anybody', () => {
    for (const state of STATES) {
      assert.equal(maySee(state, 'anyone'), state !== 'alpha');
      for (const standing of INSIDERS) assert.equal(maySee(state, standing), true);
    }
  });
});

describe('mayInstall', () => {
  const free = plan(0);
  const paid = plan(500);
  const gone = plan(0, 'all', { visible: false });
  const metered = plan(0, 'all', { priceMetered: true });
  it.each<[ServiceState, string, PlanFacts, InstallVerdict, InstallVerdict]>([
    // state, plan, what insiders get, what anyone gets
    ['alpha', 'free', free, 'ok', 'not_found'],
    ['alpha', 'paid', paid, 'plan_not_free', 'not_found'],
    ['alpha', 'metered', metered, 'plan_not_free', 'not_found'],
    ['alpha', 'gone', gone, 'plan_unavailable', 'not_found'],
    ['beta', 'free', free, 'ok', 'ok'],
    ['beta', 'paid', paid, 'plan_not_free', 'plan_not_free'],
    ['beta', 'invited', plan(0, 'invited'), 'ok', 'not_found'],
    ['beta', 'hidden', plan(0, 'hidden'), 'ok', 'ok'],
    ['ga', 'free', free, 'ok', 'ok'],
    ['ga', 'paid', paid, 'ok', 'ok'],
    ['ga', 'metered', metered, 'ok', 'ok'],
    ['ga', 'invited', plan(500, 'invited'), 'ok', 'not_found'],
    ['ga', 'hidden', plan(500, 'hidden'), 'ok', 'ok'],
    ['ga', 'gone', gone, 'plan_unavailable', 'plan_unavailable'],
    ['shutdown', 'free', free, 'service_unavailable', 'service_unavailable'],
    ['shutdown', 'paid', paid, 'service_unavailable', 'service_unavailable'],
  ])('%s, %s', (state, _name, facts, insider, anyone) => {
    for (const standing of INSIDERS) assert.equal(mayInstall(state, facts, standing), insider);
    assert.equal(mayInstall(state, facts, 'anyone'), anyone);
  });
});

describe('isListed', () => {
  it('shows what can be had, but no hidden plan, and an invited one to insiders only', () => {
    assert.equal(isListed('beta', plan(0), 'anyone'), true);
    assert.equal(isListed('beta', plan(500), 'maker'), false);
    assert.equal(isListed('ga', plan(500), 'anyone'), true);
    assert.equal(isListed('ga', plan(500, 'hidden'), 'operator'), false);
    assert.equal(isListed('ga', plan(500, 'invited'), 'anyone'), false);
    assert.equal(isListed('ga', plan(500, 'invited'), 'invited'), true);
    assert.equal(isListed('alpha', plan(0), 'anyone'), false);
    assert.equal(isListed('shutdown', plan(0), 'operator'), false);
  });
});

describe('judgeMove', () => {
  const plans = [plan(0), plan(500)];
  /** What the operator, a maker, an invited account and a stranger are told. */
  const table: Record<ServiceState, Record<ServiceState, MoveVerdict[]>> = {
    alpha: {
      alpha: ['same', 'same', 'same', 'same'],
      beta: ['ok', 'operator_only', 'operator_only', 'operator_only'],
      ga: ['no_such_move', 'no_such_move', 'no_such_move', 'no_such_move'],
      shutdown: ['ok', 'operator_only', 'operator_only', 'operator_only'],
    },
    beta: {
      alpha: ['ok', 'ok', 'operator_only', 'operator_only'],
      beta: ['same', 'same', 'same', 'same'],
      ga: ['ok', 'operator_only', 'operator_only', 'operator_only'],
      shutdown: ['ok', 'operator_only', 'operator_only', 'operator_only'],
    },
    ga: {
      alpha: ['no_such_move', 'no_such_move', 'no_such_move', 'no_such_move'],
      beta: ['no_such_move', 'no_such_move', 'no_such_move', 'no_such_move'],
      ga: ['same', 'same', 'same', 'same'],
      shutdown: ['ok', 'operator_only', 'operator_only', 'operator_only'],
    },
    shutdown: {
      alpha: ['no_such_move', 'no_such_move', 'no_such_move', 'no_such_move'],
      beta: ['no_such_move', 'no_such_move', 'no_such_move', 'no_such_move'],
      ga: ['no_such_move', 'no_such_move', 'no_such_move', 'no_such_move'],
      shutdown: ['same', 'same', 'same', 'same'],
    },
  };
  it.each(STATES.flatMap((from) => STATES.map((to) => [from, to] as const)))('%s → %s', (from, to) => {
    const standings: Standing[] = ['operator', 'maker', 'invited', 'anyone'];
    assert.deepEqual(
      standings.map((standing) => judgeMove(from, to, standing, plans)),
      table[from][to],
    );
  });

  it('leads into no public stage in which nobody could install anything', () => {
    assert.equal(judgeMove('alpha', 'beta', 'operator', [plan(500)]), 'nothing_to_install');
    assert.equal(judgeMove('beta', 'ga', 'operator', [plan(500)]), 'ok');
    assert.equal(judgeMove('beta', 'ga', 'operator', [plan(0, 'invited')]), 'nothing_to_install');
    assert.equal(judgeMove('alpha', 'shutdown', 'operator', []), 'ok');
  });
});
