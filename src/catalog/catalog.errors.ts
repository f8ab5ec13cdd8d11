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
  plan_not_free: {
    status: 422,
    message: 'Before a service is generally available, only its free plans can be had.',
  },
  service_slug_taken: {
    status: 422,
    message: 'This id belongs to another service already; choose another one.',
  },
  manifest_not_found: {
    status: 404,
    message: "Couldn't find that manifest; GET /api/v3/addons/SLUG/manifests lists them.",
    platformId: 'not_found',
    resource: 'manifest',
  },
  prefix_in_use: {
    status: 422,
    message: 'The prefix of the config vars must stay as it is while there are add-ons of the service.',
  },
  manifest_stale: {
    status: 409,
    message: 'The manifest was changed since you pulled it; pull it, make your change again, and push.',
  },
  invitation_not_found: {
    status: 404,
    message: "Couldn't find that invitation; GET /api/v3/addons/SLUG/invitations lists them.",
    platformId: 'not_found',
    resource: 'invitation',
  },
  stage_move_refused: { status: 422, message: 'The service cannot move to that stage.' },
  manifest_invalid: { status: 422, message: 'The manifest is not valid.' },
});
