import type { Script } from './fake-provider.js';

/** The calls that a provider gets, each told from its way back. */
export const CALLS = ['provision', 'clean', 'plan_change', 'revert', 'deprovision'] as const;
export type CallKind = (typeof CALLS)[number];

/** What a reply means, whoever gets it once. */
type Meaning =
  /** Nothing is certain: the same call is made again. */
  | 'again'
  /** No: for good where nothing was sent before. */
  | 'no'
  /** As good as an answer that says nothing more than yes. */
  | 'yes'
  /** It will be done, and nobody ever says that it was. */
  | 'later'
  /** Nothing there, or no such route. */
  | 'gone';

interface Fault {
  name: string;
  meaning: Meaning;
  /** null: its port refuses connections. */
  script: Script | null;
}

const JUNK = { 'content-type': 'text/html' };
const again = (name: string, script: Script | null): Fault => ({ name, meaning: 'again', script });
const no = (name: string, script: Script): Fault => ({ name, meaning: 'no', script });

export const FAULTS: Fault[] = [
  { name: 'answers well', meaning: 'yes', script: { works: true, status: 200 } },
  again('hangs', { hang: true }),
  again('hangs after its work', { hang: true, works: true }),
  again('drips its answer', { drip: true }),
  again('drips its answer after its work', { drip: true, works: true }),
  again('resets the connection', { reset: true }),
  again('resets after its work', { reset: true, works: true }),
  again('is cut off in its answer', { works: true, cut: true, body: '{"id":' }),
  again('refuses connections', null),
  again('answers 500', { status: 500, body: { message: 'Oops.' } }),
  again('answers 500 after its work', { status: 500, works: true, body: { message: 'Oops.' } }),
  again('answers 502 with a page', { status: 502, headers: JUNK, body: '<h1>Bad gateway</h1>' }),
  again('answers 503 after its work and names a time', {
    status: 503,
    works: true,
    headers: { 'retry-after': '2' },
    body: '',
  }),
  again('answers 504 with nothing', { status: 504, body: '' }),
  again('answers 429', { status: 429, body: {} }),
  again('answers 429 and names a time', { status: 429, headers: { 'retry-after': '90' }, body: '' }),
  again('answers 429 and names a time that is none', {
    status: 429,
    headers: { 'retry-after': 'soon' },
    body: '',
  }),
  again('answers 408', { status: 408, body: '' }),
  again('answers 425', { status: 425, body: '' }),
  ...[301, 302, 303, 307, 308].map((status) =>
    again(`redirects by ${status}`, { status, headers: { location: 'http://127.0.0.1:1/other' }, body: '' }),
  ),
  again('answers far too much', { works: true, status: 200, body: 'x'.repeat(1_100_000) }),
  again('answers JSON that does not end', { works: true, status: 200, body: '{"config": {"PG_URL": "postg' }),
  again('says config that is none', { works: true, status: 200, adds: { config: 'PG_URL=x' } }),
  again('says a config var that its manifest lacks', {
    works: true,
    status: 200,
    adds: { config: { OTHER_URL: 'x' } },
  }),
  again('says a config var that is a number', { works: true, status: 200, adds: { config: { PG_URL: 7 } } }),
  {
    name: 'answers with a page',
    meaning: 'yes',
    script: { works: true, status: 200, headers: JUNK, body: '<p>' },
  },
  { name: 'answers ok', meaning: 'yes', script: { works: true, status: 200, headers: JUNK, body: 'ok' } },
  { name: 'answers nothing', meaning: 'yes', script: { works: true, status: 200, body: '' } },
  { name: 'answers a list', meaning: 'yes', script: { works: true, status: 200, body: [] } },
  { name: 'answers null', meaning: 'yes', script: { works: true, status: 200, body: 'null' } },
  { name: 'answers 204', meaning: 'yes', script: { works: true, status: 204, body: '' } },
  { name: 'answers 202 and is not heard of again', meaning: 'later', script: { works: true, status: 202 } },
  ...[400, 401, 403, 409].map((status) => no(`answers ${status}`, { status, body: { message: 'No.' } })),
  no('answers 422', { status: 422, body: { message: 'There is no room.' } }),
  no('answers 422 with nothing', { status: 422, body: '' }),
  no('answers 422 with a page', { status: 422, headers: JUNK, body: '<h1>No</h1>' }),
  ...[404, 405, 410].map((status): Fault => ({
    name: `answers ${status}`,
    meaning: 'gone',
    script: { status, body: '' },
  })),
];

const SIDES = ['before_commit', 'after_commit'] as const;
const pointsOf = (type: string, steps: string[]) => [
  ...steps.flatMap((step) => SIDES.map((side) => `${type}.${step}.${side}`)),
  `${type}.before_call`,
  `${type}.after_call`,
];
const TYPES: Record<CallKind, string> = {
  provision: 'provision',
  clean: 'provision',
  plan_change: 'plan_change',
  revert: 'plan_change',
  deprovision: 'deprovision',
};

/** Where a worker may die around this call. Only a creation commits a grant before it. */
export function deathsOf(call: CallKind): string[] {
  return pointsOf(TYPES[call], ['claim', 'record', ...(call === 'provision' ? ['grant'] : [])]);
}

/** What happens besides. */
type Beside =
  | { kind: 'nothing' }
  | { kind: 'death'; point: string }
  /** Each job is there twice, and two workers have one each in the same moment. */
  | { kind: 'twice' }
  /** Its user asks for the delete while the call is under way. */
  | { kind: 'delete' };

export interface Case {
  call: CallKind;
  fault: Fault;
  beside: Beside;
  name: string;
}

/** Each fault of each call: alone, with a death at each point, by two workers, and with a delete asked for meanwhile. */
export const CASES: Case[] = CALLS.flatMap((call) =>
  faultsOf(call).flatMap((fault) =>
    besides(call).map((beside) => ({ call, fault, beside, name: nameOf(call, fault, beside) })),
  ),
);

/** Of each call and fault so many, another part for each: every point and every fault is among them. */
export function slice(each: number): Case[] {
  return CALLS.flatMap((call) =>
    faultsOf(call).flatMap((fault, index) => {
      const all = CASES.filter((one) => one.call === call && one.fault === fault);
      return Array.from({ length: Math.min(each, all.length) }, (_, nth) => {
        const one = all[(index * each + nth) % all.length];
        return one === undefined ? [] : [one];
      }).flat();
    }),
  );
}

/** Who has changed a plan and says then that it has no plans to change says what is not so; only a person could tell. */
function faultsOf(call: CallKind): Fault[] {
  return call === 'revert' ? FAULTS.filter(({ meaning }) => meaning !== 'gone') : FAULTS;
}

function besides(call: CallKind): Beside[] {
  return [
    { kind: 'nothing' },
    ...deathsOf(call).map((point): Beside => ({ kind: 'death', point })),
    { kind: 'twice' },
    ...(call === 'clean' || call === 'deprovision' ? [] : [{ kind: 'delete' } as const]),
  ];
}

function nameOf(call: CallKind, { name }: Fault, beside: Beside): string {
  const rest = {
    nothing: '',
    death: beside.kind === 'death' ? `, with a death at ${beside.point}` : '',
    twice: ', by two workers at once',
    delete: ', with a delete asked for meanwhile',
  };
  return `${call}: a provider that ${name}${rest[beside.kind]}`;
}
