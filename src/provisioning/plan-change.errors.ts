import { defineErrors } from '../kernel/errors.js';

export const planChangeErrors = defineErrors({
  // A 422 with these first words makes the heroku CLI list the plans of the service.
  plan_not_offered: {
    status: 422,
    message: 'Couldn\'t find either the add-on service or its plan; see "heroku addons:plans SERVICE".',
  },
  plan_of_other_service: {
    status: 422,
    message: 'An add-on stays with its service; choose one of its plans, or create another add-on.',
  },
  plan_change_failed: {
    status: 422,
    message: 'The plan could not be changed; the add-on keeps the one that it had.',
  },
});
