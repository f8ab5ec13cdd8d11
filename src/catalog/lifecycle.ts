import type { Plan, ServiceState } from './catalog.entity.js';

/** What an account is to a service. */
export type Standing = 'operator' | 'maker' | 'invited' | 'anyone';

export type PlanFacts = Pick<
  Plan,
  'priceCents' | 'priceMetered' | 'priceContract' | 'visible' | 'availability'
>;

/** Why a plan cannot be had; `not_found` where the caller is not to know of it. */
export type InstallVerdict =
  'ok' | 'not_found' | 'service_unavailable' | 'plan_unavailable' | 'plan_not_free';

/** An alpha service is there for those who make and try it, and for nobody else. */
export function maySee(state: ServiceState, standing: Standing): boolean {
  return state !== 'alpha' || standing !== 'anyone';
}

export function mayInstall(state: ServiceState, plan: PlanFacts, standing: Standing): InstallVerdict {
  if (!maySee(state, standing)) return 'not_found';
  if (state === 'shutdown') return 'service_unavailable';
  if (plan.availability === 'invited' && standing === 'anyone') return 'not_found';
  if (!plan.visible) return 'plan_unavailable';
  return state === 'ga' || isFree(plan) ? 'ok' : 'plan_not_free';
}

/** Whether a plan stands in the list that this account is shown. Hidden ones are had by name only. */
export function isListed(state: ServiceState, plan: PlanFacts, standing: Standing): boolean {
  if (!plan.visible || state === 'shutdown' || !maySee(state, standing)) return false;
  if (state !== 'ga' && !isFree(plan)) return false;
  return plan.availability === 'all' || (plan.availability === 'invited' && standing !== 'anyone');
}

export function isFree(plan: Pick<PlanFacts, 'priceCents' | 'priceMetered' | 'priceContract'>): boolean {
  return plan.priceCents === 0n && !plan.priceMetered && !plan.priceContract;
}

/** Which stage may follow which, and who moves it there. Public stages and the end are the operator's to give. */
const MOVES: Record<ServiceState, Partial<Record<ServiceState, 'operator' | 'maker'>>> = {
  alpha: { beta: 'operator', shutdown: 'operator' },
  beta: { alpha: 'maker', ga: 'operator', shutdown: 'operator' },
  ga: { shutdown: 'operator' },
  shutdown: {},
};

/** A service in a stage where nobody can have any of its plans would be an empty shelf. */
export type MoveVerdict = 'ok' | 'same' | 'no_such_move' | 'operator_only' | 'nothing_to_install';

export function judgeMove(
  from: ServiceState,
  to: ServiceState,
  by: Standing,
  plans: readonly PlanFacts[],
): MoveVerdict {
  if (from === to) return 'same';
  const mover = MOVES[from][to];
  if (mover === undefined) return 'no_such_move';
  if (by !== 'operator' && (mover === 'operator' || by !== 'maker')) return 'operator_only';
  const isPublic = to === 'beta' || to === 'ga';
  return isPublic && !plans.some((plan) => mayInstall(to, plan, 'anyone') === 'ok')
    ? 'nothing_to_install'
    : 'ok';
}

/** The stages that can follow a stage, for a message. */
export function nextStages(from: ServiceState): ServiceState[] {
  return Object.keys(MOVES[from]) as ServiceState[];
}
