import { plusMs } from '../kernel/clock.js';
import type { OperationId } from '../kernel/ids.js';

/** `closed`: calls are made. `open`: none is. `half_open`: one is, to see whether the provider answers again. */
export type CircuitState = 'closed' | 'open' | 'half_open';

export interface Circuit {
  state: CircuitState;
  /** The operations whose calls went unanswered since the last answer, each once. */
  failing: OperationId[];
  /** How often it opened since the last answer. */
  trips: number;
  openedAt: Date | null;
  /** Open: when one call may be tried. Half open: until when that call may take. */
  probeAt: Date | null;
  probeOperationId: OperationId | null;
}

/** What a call says about its provider: any answer below 500 is one, also a refusal. */
export type Sign = 'answered' | 'silent';

export function signOf(status: number | null): Sign {
  return status === null || status >= 500 ? 'silent' : 'answered';
}

export const CLOSED: Circuit = {
  state: 'closed',
  failing: [],
  trips: 0,
  openedAt: null,
  probeAt: null,
  probeOperationId: null,
};

/**
 * How many operations in a row, each counted once, go unanswered before calls stop. One resource that a provider
 * cannot handle never stops the others.
 */
export const SILENT_OPERATIONS_MAX = 5;

const FIRST_OPEN_MS = 10_000;
const OPEN_MAX_MS = 5 * 60_000;

/** How long it stays open: doubled each time, bounded, and spread by `random` (0 to 1) to half of itself. */
export function openMs(trips: number, random: number): number {
  const wait = Math.min(FIRST_OPEN_MS * 2 ** Math.min(Math.max(trips - 1, 0), 10), OPEN_MAX_MS);
  return Math.round(wait * (0.5 + random / 2));
}

/**
 * The circuit after a call. `askedMs`: for how long the provider asked to be left alone, at least. Only the call that
 * was let through decides about a circuit that is not closed; late ones from before count where they are answers.
 */
export function afterCall(
  circuit: Circuit,
  sign: Sign,
  operationId: OperationId,
  now: Date,
  random: number,
  askedMs = 0,
): Circuit {
  if (sign === 'answered') return CLOSED;
  const failing = circuit.failing.includes(operationId)
    ? circuit.failing
    : [...circuit.failing, operationId].slice(-SILENT_OPERATIONS_MAX);
  switch (circuit.state) {
    case 'closed':
      return failing.length < SILENT_OPERATIONS_MAX ? { ...circuit, failing } : opened();
    case 'open':
      return { ...circuit, failing };
    case 'half_open':
      return circuit.probeOperationId === operationId ? opened() : { ...circuit, failing };
  }

  function opened(): Circuit {
    const trips = circuit.trips + 1;
    return {
      state: 'open',
      failing,
      trips,
      openedAt: circuit.openedAt ?? now,
      probeAt: plusMs(now, Math.max(openMs(trips, random), askedMs)),
      probeOperationId: null,
    };
  }
}

export type Passage = 'pass' | 'probe' | 'hold';

/** Whether a call may be made now; `probe`: if it is the one that is let through. */
export function passage({ state, probeAt }: Circuit, now: Date): Passage {
  if (state === 'closed') return 'pass';
  // A half-open circuit whose call is overdue lost its worker: another one may try.
  return probeAt === null || probeAt <= now ? 'probe' : 'hold';
}

const LOOK_AGAIN_MS = 5_000;
const SPREAD_MS = 2_000;

/**
 * When a held operation looks again: when the next call may be tried, and soon while one is under way. Deletes come a
 * little later, so that a customer who waits is the first to try.
 */
export function lookAgainAt({ state, probeAt }: Circuit, deleting: boolean, now: Date, random: number): Date {
  const from = state === 'open' && probeAt !== null && probeAt > now ? probeAt : plusMs(now, LOOK_AGAIN_MS);
  return plusMs(from, Math.round((deleting ? SPREAD_MS : 0) + random * SPREAD_MS));
}
