import { defineErrors } from '../kernel/errors.js';

export const provisioningErrors = defineErrors({
  nothing_to_report: {
    status: 422,
    message: 'This add-on is provisioned and nobody asked for its deletion; only its holder can.',
  },
  config_var_undeclared: {
    status: 422,
    message: 'A provider can only set config vars that its manifest declares.',
  },
});
