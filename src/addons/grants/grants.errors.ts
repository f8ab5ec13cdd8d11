import { defineErrors } from '../../kernel/errors.js';

/** The first four are named as RFC 6749 (section 5.2) names them, since clients of `/oauth/token` know those names. */
export const grantErrors = defineErrors({
  invalid_request: {
    status: 400,
    message: 'Send grant_type, client_secret, and code or refresh_token, each once.',
  },
  unsupported_grant_type: {
    status: 400,
    message: 'grant_type must be "authorization_code" or "refresh_token".',
  },
  invalid_client: {
    status: 401,
    message: 'The client_secret is not the one of the provider that this was issued to.',
  },
  invalid_grant: {
    status: 400,
    message: 'This code or refresh token is unknown, expired, used before, or its add-on is gone.',
  },
  addon_gone: {
    status: 410,
    message: 'This add-on is gone, and your access to it has ended.',
    platformId: 'gone',
  },
});
