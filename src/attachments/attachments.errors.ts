import { defineErrors } from '../kernel/errors.js';

export const attachmentErrors = defineErrors({
  attachment_not_found: {
    status: 404,
    message: "Couldn't find that attachment.",
    platformId: 'not_found',
    resource: 'add_on attachment',
  },
  attachment_name_taken: {
    status: 422,
    message: 'The app has an attachment of this name already; choose another one.',
  },
  attachment_name_invalid: {
    status: 422,
    message: 'An attachment name has letters, digits and underscores, and begins with a letter.',
  },
  config_var_taken: {
    status: 422,
    message: 'The app has a config var of this name already; choose another attachment name with --as.',
  },
});
