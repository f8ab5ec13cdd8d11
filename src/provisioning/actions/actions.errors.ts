import { defineErrors } from '../../kernel/errors.js';

export const actionErrors = defineErrors({
  action_not_found: {
    status: 404,
    message: 'The add-on has no such action; see "souk addons:action ADDON".',
    platformId: 'not_found',
    resource: 'action',
  },
  action_run_not_found: {
    status: 404,
    message: "Couldn't find that run of the action.",
    platformId: 'not_found',
    resource: 'action run',
  },
  action_params_invalid: { status: 422, message: 'The params do not fit what the action takes.' },
  action_unconfirmed: {
    status: 422,
    message: 'This action has to be confirmed: send the name of the add-on as confirm.',
  },
  action_failed: {
    status: 422,
    message: 'The action had no verdict in time; ask the provider whether it was carried out.',
  },
});
