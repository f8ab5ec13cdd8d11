import { randomUUID } from 'node:crypto';
import { hasStatus, isBusy, isSuccess, outcomeOf, type Exchange } from '../exchange.js';
import { idIn } from '../judge-provision.js';
import type { Rule } from '../rule.js';
import type { Trial } from '../trial.js';
import { Violation } from '../verdict.js';
import { MADE } from './provision.js';
import { requireSame } from './repeats.js';

/** Others are answered within this while one request is dripping in. */
const MEANWHILE_MS = 5_000;

/** A race is lost only sometimes; so it is run more than once. */
const RACES = 5;

const SOURCE = 'Partner API v3, delivery at least once';

export const FAULT_RULES: readonly Rule[] = [
  {
    id: 'disconnect-after-send',
    title: 'A provision whose connection broke can be repeated',
    source: `${SOURCE}: a time-out after the work was done`,
    mend: 'Finish, or undo as a whole, what you began when the platform hangs up; a repeat must find the resource or make it.',
    needs: [...MADE, 'repeat-same-id'],
    run: async (trial) => {
      const uuid = randomUUID();
      const broken = await trial.provision(uuid, { delivery: { hangUp: true } });
      const id = await requireSame(trial, uuid, null, broken);
      await requireSame(trial, uuid, id, broken);
    },
  },
  {
    id: 'slow-body',
    title: 'A request that drips in holds up nobody else',
    source: 'Partner API v3, response times',
    mend: 'Read bodies without blocking other requests, and give up on one that takes too long (408).',
    needs: [...MADE, 'repeat-same-id', 'unknown-id'],
    run: slowBody,
  },
  {
    id: 'reordered-delivery',
    title: 'A deprovision that overtakes its provision leaves nothing that cannot be deleted',
    source: `${SOURCE}, in any order`,
    mend: 'Either remember a deprovision of an unknown uuid and answer its late provision with 410, or make a resource that can be deleted.',
    needs: [...MADE, 'deprovision', 'slow-body'],
    run: reorderedDelivery,
  },
  {
    id: 'concurrent-delete',
    title: 'A deprovision and a repeated provision at the same time leave nothing',
    source: 'Partner API v3: one request at a time is the rule, crashes are the exception',
    mend: 'Serialise the calls for one uuid, for example with a lock on its row; look again at what is there when you have the lock.',
    needs: [...MADE, 'repeat-same-id', 'distinct-ids', 'deprovision', 'deprovision-repeat'],
    run: async (trial) => {
      for (let race = 0; race < RACES; race++) await raceDelete(trial);
    },
  },
];

async function slowBody(trial: Trial): Promise<void> {
  const uuid = randomUUID();
  const rest = gate();
  const sent = gate();
  const slow = trial.provision(uuid, { delivery: { restAfter: rest.passed, onSent: sent.open } });
  let other: Exchange;
  try {
    // A provider may refuse before it has the half.
    await Promise.race([sent.passed, slow]);
    const unknown = randomUUID();
    other = await trial.deprovision(unknown, unknown, { delivery: { timeoutMs: MEANWHILE_MS } });
  } finally {
    rest.open();
  }
  const late = await slow;
  if (other.reply.kind !== 'answered')
    throw new Violation(
      `While half of a provision had arrived, another call was not answered within ${MEANWHILE_MS / 1_000} s.`,
      [other],
    );
  if (late.reply.kind === 'answered' && late.reply.status >= 500 && !isBusy(late.reply))
    throw new Violation(`The slow provision ended with ${outcomeOf(late.reply)}.`, [late]);
  await requireSame(trial, uuid, idIn(late.reply), late);
}

async function reorderedDelivery(trial: Trial): Promise<void> {
  const uuid = randomUUID();
  const rest = gate();
  const sent = gate();
  const provision = trial.provision(uuid, { delivery: { restAfter: rest.passed, onSent: sent.open } });
  let early: Exchange;
  try {
    await Promise.race([sent.passed, provision]);
    early = await trial.deprovision(uuid, uuid);
  } finally {
    rest.open();
  }
  let late = await provision;
  if (late.reply.kind === 'unanswered' || isBusy(late.reply)) late = await trial.provisionPatiently(uuid);
  const { reply } = late;
  if (reply.kind === 'answered' && reply.status >= 400 && reply.status < 500) return;
  const id = idIn(reply);
  if (!isSuccess(reply) || id === null)
    throw new Violation(
      `The provision that came after its deprovision ended with ${outcomeOf(reply)}; expected 410 or a success.`,
      [early, late],
    );
  await trial.settle(uuid, late);
  trial.warn(
    'The provision that came after its deprovision made a resource. To remember the uuid and answer 410 is safer.',
  );
  const removed = await trial.deprovision(uuid, id);
  if (!isSuccess(removed.reply))
    throw new Violation(
      `The late provision succeeded, and its deprovision ended with ${outcomeOf(removed.reply)}: nobody can delete what it made.`,
      [early, late, removed],
    );
}

async function raceDelete(trial: Trial): Promise<void> {
  const { uuid, id } = await trial.make();
  const sent = gate();
  const repeat = trial.provision(uuid, { delivery: { onSent: sent.open } });
  await Promise.race([sent.passed, repeat]);
  const [again, removed] = await Promise.all([repeat, trial.deprovision(uuid, id)]);
  const probe = isSuccess(removed.reply) ? await trial.changePlan(id, trial.facts.plans[0] ?? '') : null;
  if (probe !== null && isSuccess(probe.reply))
    throw new Violation(
      'After both were answered the deleted resource was there again: a plan change of it succeeded.',
      [again, removed, probe],
    );
  const last = await trial.deprovision(uuid, id);
  if (!isSuccess(last.reply) && !hasStatus(last.reply, 404, 410))
    throw new Violation(`After both were answered a deprovision ended with ${outcomeOf(last.reply)}.`, [
      again,
      removed,
      last,
    ]);
}

interface Gate {
  passed: Promise<void>;
  open: () => void;
}

function gate(): Gate {
  let open: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}
