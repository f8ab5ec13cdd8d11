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
  confirmation_required: {
    status: 423,
    message: 'This changes more than it names; confirm it with the name of the app.',
  },
  not_attachable: { status: 422, message: 'Add-ons of this service cannot be attached to another app.' },
  addon_of_another_app: {
    status: 403,
    message: 'The add-on belongs to another app; only from there can it be shared, changed or destroyed.',
  },
  namespace_unknown: { status: 422, message: 'The add-on has no credential of this name.' },
  config_var_taken: {
    status: 422,
    message: 'The app has a config var of this name already; choose another attachment name with --as.',
  },
});
