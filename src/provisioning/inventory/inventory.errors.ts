import { defineErrors } from '../../kernel/errors.js';

export const inventoryErrors = defineErrors({
  inventory_not_found: {
    status: 404,
    message: 'There is no provider of this name that lists its resources; see "GET /admin/inventories".',
  },
  finding_has_no_remedy: {
    status: 422,
    message: 'Only an orphan or a phantom can be remedied; look into a finding of this kind by hand.',
  },
});
