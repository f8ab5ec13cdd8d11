import { defineErrors } from '../kernel/errors.js';

export const appErrors = defineErrors({
  app_not_found: {
    status: 404,
    message: "Couldn't find that app.",
    platformId: 'not_found',
    resource: 'app',
  },
  app_name_taken: { status: 422, message: 'Another app has this name already; choose another one.' },
  app_name_invalid: {
    status: 422,
    message:
      'An app name has 3 to 30 characters: lower-case letters, digits and dashes; it begins with a letter and does not end in a dash.',
  },
  owner_only: {
    status: 403,
    message: 'Only the owner of the app may do this; collaborators may do everything else.',
  },
  collaborator_not_found: {
    status: 404,
    message: "Couldn't find that collaborator.",
    platformId: 'not_found',
    resource: 'collaborator',
  },
  collaborator_unknown: {
    status: 422,
    message: 'There is no account with this e-mail address or id; ask your operator to make one.',
  },
  collaborator_exists: { status: 422, message: 'This account may use the app already.' },
  owner_not_removable: { status: 422, message: 'The owner of an app cannot be removed from it.' },
  region_unknown: { status: 422, message: 'There is no such region; see "heroku regions".' },
  release_not_found: {
    status: 404,
    message: "Couldn't find that release.",
    platformId: 'not_found',
    resource: 'release',
  },
  config_name_invalid: {
    status: 422,
    message:
      'A config var name begins with a letter or underscore and goes on with letters, digits and underscores.',
  },
  config_value_invalid: {
    status: 422,
    message: 'Config var values are text (or null, to unset one) and hold no zero byte.',
  },
  config_too_large: {
    status: 422,
    message: 'The config vars of an app may take 64 KiB in all; keep large values in a file or a store.',
  },
  config_var_reserved: {
    status: 422,
    message: 'This config var is set by an add-on; detach the add-on or choose another name.',
  },
});
