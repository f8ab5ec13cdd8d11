import { defineErrors } from '../kernel/errors.js';

export const catalogErrors = defineErrors({
  service_not_found: {
    status: 404,
    message: 'Couldn\'t find that add-on service; see "heroku addons:services".',
    platformId: 'not_found',
    resource: 'addon_service',
  },
  plan_not_found: {
    status: 404,
    message: 'Couldn\'t find that plan; see "heroku addons:plans SERVICE".',
    platformId: 'not_found',
    resource: 'plan',
  },
  plan_unavailable: { status: 422, message: 'This plan can no longer be chosen; choose another plan.' },
  service_unavailable: { status: 422, message: 'This add-on service takes no new add-ons.' },
  region_unavailable: { status: 422, message: 'This plan is not offered in the region of the app.' },
  manifest_invalid: { status: 422, message: 'The manifest is not valid.' },
});
