import { defineErrors } from '../kernel/errors.js';

export const provisioningErrors = defineErrors({
  service_paused: {
    status: 422,
    message: 'The operator has paused this for now; nothing was changed. Try again later.',
  },
  operation_not_found: {
    status: 404,
    message: 'Couldn\'t find that operation; see "souk operations list".',
    platformId: 'not_found',
    resource: 'operation',
  },
  operation_finished: { status: 422, message: 'This operation has ended; there is nothing left to do.' },
  operation_waiting: {
    status: 422,
    message:
      'The provider has accepted this operation and reports back when it is done; wait for that, or abandon it.',
  },
  operation_not_abandonable: {
    status: 422,
    message: 'An operation of this kind cannot be abandoned; it ends by its deadline.',
  },
  abandon_unconfirmed: {
    status: 422,
    message:
      'The provider has not confirmed what it holds after this; send without_confirmation to end it all the same, which leaves a finding.',
  },
  finding_not_found: {
    status: 404,
    message: 'Couldn\'t find that finding; see "souk findings list".',
    platformId: 'not_found',
    resource: 'finding',
  },
  pause_not_found: {
    status: 404,
    message: 'Couldn\'t find that pause; see "souk providers list".',
    platformId: 'not_found',
    resource: 'pause',
  },
  pause_target_invalid: { status: 422, message: 'Pause one thing: a service, a plan or a region.' },
  nothing_to_report: {
    status: 422,
    message: 'This add-on is provisioned and nobody asked for its deletion; only its holder can.',
  },
  config_var_undeclared: {
    status: 422,
    message: 'A provider can only set config vars that its manifest declares.',
  },
});
