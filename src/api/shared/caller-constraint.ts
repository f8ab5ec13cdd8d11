import type { FastifyServerOptions } from 'fastify';
import { PROVIDER_TOKEN_PREFIX } from '../../addons/grants/grant.js';

type Strategy = NonNullable<NonNullable<FastifyServerOptions['routerOptions']>['constraints']>[string];
type Handler = Parameters<ReturnType<Strategy['storage']>['set']>[1];

const PROVIDER = 'provider';
/** No route asks for this: such a request reaches those that ask for nothing. */
const ANYBODY = 'anybody';
const BY_PROVIDER = new RegExp(`^bearer\\s+${PROVIDER_TOKEN_PREFIX}`, 'i');

/** Of a route that is for providers' tokens alone, at an address that accounts have too. */
export const OF_PROVIDERS = { caller: PROVIDER };

/**
 * Tells by the beginning of the token which surface a request is for, before any route is chosen: a provider's token
 * reaches the routes that were made for it, and no other can forget to look. Whether it is valid the guard finds out.
 */
export const CALLER_CONSTRAINT: Strategy = {
  name: 'caller',
  storage: () => {
    const handlers = new Map<unknown, Handler>();
    return {
      get: (value) => handlers.get(value) ?? null,
      set: (value, handler) => void handlers.set(value, handler),
    };
  },
  validate: () => undefined,
  deriveConstraint: (request) => (BY_PROVIDER.test(request.headers.authorization ?? '') ? PROVIDER : ANYBODY),
};
