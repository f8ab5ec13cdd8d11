import { defineErrors } from '../kernel/errors.js';

export const addonErrors = defineErrors({
  addon_not_found: {
    status: 404,
    message: "Couldn't find that add-on.",
    platformId: 'not_found',
    resource: 'add_on',
  },
  addon_name_taken: { status: 422, message: 'Another add-on has this name already; choose another one.' },
  addon_name_invalid: {
    status: 422,
    message:
      'An add-on name has 2 to 128 characters: letters, digits, dashes and underscores, beginning with a letter. It does not look like an id.',
  },
  addon_ambiguous: {
    status: 422,
    message: 'Several add-ons match; use the exact name of one.',
    platformId: 'multiple_matches',
  },
  operation_in_flight: {
    status: 422,
    message: 'Another operation on this add-on is still running; try again when it has ended.',
    osb: 'ConcurrencyError',
  },
  one_per_app: {
    status: 422,
    message: 'The app has an add-on of this service already, and it allows one only.',
  },
  provider_refused: { status: 422, message: 'The add-on provider refused the request.' },
  options_invalid: { status: 422, message: 'Options are short texts, numbers or flags.' },
  notice_invalid: { status: 422, message: 'A notice needs a key, a severity and a message.' },
});
