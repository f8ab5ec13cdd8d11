import fc from 'fast-check';
import type { Script } from './fake-provider.js';

const PLANS = ['mini', 'std', 'free'] as const;
export type PlanSlug = (typeof PLANS)[number];

/** What the provider does with the next call of a kind. */
export const FAULTS = {
  ok: null,
  accepted: { status: 202, works: true },
  refused: { status: 422, body: { message: 'Not today.' } },
  broken: { status: 500, body: 'Oops.' },
  'broken after its work': { status: 500, works: true, body: '' },
  lost: { reset: true, works: true },
  silent: { hang: true, works: true },
  garbage: { status: 200, works: true, body: '{"id": ' },
} satisfies Record<string, Script | null>;
export type Fault = keyof typeof FAULTS;

const SIDES = ['before_commit', 'after_commit'];
/** Every point of a life, of the reconciler and of the relay. */
const DEATHS: string[] = [
  ...['provision', 'plan_change', 'deprovision'].flatMap((type) => [
    ...['request', 'claim', 'record'].flatMap((step) => SIDES.map((side) => `${type}.${step}.${side}`)),
    `${type}.before_call`,
    `${type}.after_call`,
  ]),
  ...['provision.grant', 'relay.move', 'reconcile.stuck', 'report.provisioned', 'addon_config.set'].flatMap(
    (step) => SIDES.map((side) => `${step}.${side}`),
  ),
  'relay.move.after_add',
];

/** Numbers point at whatever there is by then, counted round. */
export type Step =
  | { kind: 'create'; app: number; plan: PlanSlug; fault: Fault }
  | { kind: 'delete'; addon: number; fault: Fault }
  | { kind: 'change'; addon: number; plan: PlanSlug; fault: Fault }
  | { kind: 'attach'; addon: number; app: number }
  | { kind: 'detach'; attachment: number }
  | { kind: 'config'; app: number; name: 'ONE' | 'TWO'; value: string | null }
  | { kind: 'report'; addon: number; what: 'provision' | 'deprovision'; times: number }
  | { kind: 'rotate'; addon: number; times: number }
  | { kind: 'death'; point: string }
  | { kind: 'flush' }
  | { kind: 'clock'; seconds: number };

const number = fc.nat({ max: 7 });
const fault = fc.constantFrom(...(Object.keys(FAULTS) as Fault[]));
const plan = fc.constantFrom(...PLANS);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('create' as const), app: number, plan, fault }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), addon: number, fault }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('change' as const), addon: number, plan, fault }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('attach' as const), addon: number, app: number }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('detach' as const), attachment: number }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('config' as const),
      app: number,
      name: fc.constantFrom('ONE' as const, 'TWO' as const),
      value: fc.option(fc.constantFrom('a', 'b')),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('report' as const),
      addon: number,
      what: fc.constantFrom('provision' as const, 'deprovision' as const),
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('rotate' as const),
      addon: number,
      times: fc.integer({ min: 1, max: 2 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('death' as const), point: fc.constantFrom(...DEATHS) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('clock' as const),
      seconds: fc.constantFrom(1, 5, 70, 1_000, 50_000),
    }),
  },
);

/** A life of some apps: what users, a provider, time and crashes do. `true`: the step does not wait for the one before. */
export const lives: fc.Arbitrary<[Step, boolean][]> = fc.array(fc.tuple(step, fc.boolean()), {
  minLength: 4,
  maxLength: 14,
});
