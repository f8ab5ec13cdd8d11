import type { FleetRole } from '../support/fleet.js';

/** Which process dies where. Every point that a creation and a deletion pass must be here: the first test counts. */
export const CREATION: [FleetRole, string][] = [
  ['api', 'provision.request.before_commit'],
  ['api', 'provision.request.after_commit'],
  ['relay', 'relay.move.after_add'],
  ['relay', 'relay.move.before_commit'],
  ['relay', 'relay.move.after_commit'],
  ['worker', 'provision.claim.before_commit'],
  ['worker', 'provision.claim.after_commit'],
  ['worker', 'provision.before_call'],
  ['worker', 'provision.grant.before_commit'],
  ['worker', 'provision.grant.after_commit'],
  ['worker', 'provision.after_call'],
  ['worker', 'provision.record.before_commit'],
  ['worker', 'provision.record.after_commit'],
  ['worker', 'reconcile.stuck.before_commit'],
  ['worker', 'reconcile.stuck.after_commit'],
  ['worker', 'audit.seal.before_commit'],
  ['worker', 'audit.seal.after_commit'],
];
export const DELETION: [FleetRole, string][] = [
  ['api', 'deprovision.request.before_commit'],
  ['api', 'deprovision.request.after_commit'],
  ['relay', 'relay.move.after_add'],
  ['relay', 'relay.move.before_commit'],
  ['relay', 'relay.move.after_commit'],
  ['worker', 'deprovision.claim.before_commit'],
  ['worker', 'deprovision.claim.after_commit'],
  ['worker', 'deprovision.before_call'],
  ['worker', 'deprovision.after_call'],
  ['worker', 'deprovision.record.before_commit'],
  ['worker', 'deprovision.record.after_commit'],
];
export const PLAN_CHANGE: [FleetRole, string][] = [
  ['api', 'plan_change.request.before_commit'],
  ['api', 'plan_change.request.after_commit'],
  ['worker', 'plan_change.claim.before_commit'],
  ['worker', 'plan_change.claim.after_commit'],
  ['worker', 'plan_change.before_call'],
  ['worker', 'plan_change.after_call'],
  ['worker', 'plan_change.record.before_commit'],
  ['worker', 'plan_change.record.after_commit'],
];
/** Points of requests that move no add-on. */
export const ELSEWHERE = /^(app|token|account|collaborator|attachment|sso|manifest|operator|audit\.read)\./;
