import { defineErrors } from '../kernel/errors.js';

export const ssoErrors = defineErrors({
  sso_unavailable: { status: 422, message: 'This add-on has no dashboard to open.' },
  sso_ticket_invalid: {
    status: 403,
    message:
      'This address opens a dashboard once, within 60 seconds of being given out. Get a new one with "heroku addons:open".',
  },
});
