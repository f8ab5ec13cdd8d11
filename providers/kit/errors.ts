/** An answer to the platform that is no success: its status, a stable id, and a sentence for the customer. */
export class ProviderError extends Error {
  constructor(
    readonly status: number,
    readonly id: string,
    message: string,
    /** Seconds after which the same call may do better. */
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(message);
    this.name = 'ProviderError';
  }
}

/** The answers that every provider of this kit gives. The ids are a public contract. */
export const answers = {
  unauthorized: () => new ProviderError(401, 'unauthorized', 'The user name or the password is not right.'),
  ssoRefused: () =>
    new ProviderError(403, 'sso_refused', 'This link is not signed for now; open the dashboard again.'),
  routeNotFound: () => new ProviderError(404, 'not_found', 'There is no such address.'),
  badJson: () => new ProviderError(400, 'bad_request', 'The body is not valid JSON.'),
  invalid: (message: string) => new ProviderError(422, 'invalid_params', message),
  planUnknown: (plan: string, plans: string[]) =>
    new ProviderError(422, 'plan_unknown', `There is no plan "${plan}"; choose from ${plans.join(', ')}.`),
  resourceNotFound: () => new ProviderError(404, 'resource_not_found', 'There is no such resource.'),
  resourceGone: () =>
    new ProviderError(410, 'resource_gone', 'This resource was deprovisioned and does not come back.'),
  busy: () =>
    new ProviderError(
      503,
      'busy',
      'Another request for this resource is still running; try again in a moment.',
      2,
    ),
  notReady: () =>
    new ProviderError(503, 'not_ready', 'This resource is still being made; try again in a moment.', 2),
  unavailable: () =>
    new ProviderError(
      503,
      'unavailable',
      'The service cannot be reached right now; try again in a moment.',
      2,
    ),
} as const;
