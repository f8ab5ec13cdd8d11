import { defineErrors } from '../kernel/errors.js';

export const accountErrors = defineErrors({
  unauthorized: {
    status: 401,
    message:
      'There were no credentials in your request or they are not valid; send "Authorization: Bearer <token>".',
  },
  token_expired: {
    status: 401,
    message: 'This token has expired; make a new one with "souk tokens create".',
    platformId: 'unauthorized',
  },
  token_revoked: {
    status: 401,
    message: 'This token was revoked; use another one.',
    platformId: 'unauthorized',
  },
  forbidden: { status: 403, message: 'Your token does not have the scope that this needs.' },
  token_not_found: {
    status: 404,
    message: "Couldn't find that token.",
    platformId: 'not_found',
    resource: 'authorization',
  },
  scope_unknown: { status: 422, message: 'One of the scopes does not exist.' },
  email_taken: { status: 422, message: 'There is an account with this e-mail address already.' },
});
