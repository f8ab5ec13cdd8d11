import { applyDecorators, createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
import { RouteConstraints } from '@nestjs/platform-fastify';
import { ApiBasicAuth, ApiBearerAuth, ApiExcludeEndpoint } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Actor, Author, Scope } from '../../accounts/actor.js';
import type { AddonCaller } from '../../addons/grants/authenticate-provider.js';
import type { ProviderId } from '../../kernel/ids.js';
import { OF_PROVIDERS } from './caller-constraint.js';

/** Who may call a route. Every route says so; one that does not stops the start-up. */
export type RouteAccess =
  | { kind: 'public' }
  | { kind: 'scope'; scope: Scope }
  | { kind: 'provider' }
  /**
   * `shared`: accounts have a route at this address too. `evenGone`: also after the add-on has gone, to be told again how
   * that came.
   */
  | { kind: 'addon'; shared: boolean; evenGone: boolean };

export const ROUTE_ACCESS = 'souk:route-access';

/** The caller's token must cover this scope. */
export const Requires = (scope: Scope) =>
  applyDecorators(
    SetMetadata(ROUTE_ACCESS, { kind: 'scope', scope } satisfies RouteAccess),
    ApiBearerAuth(),
    ApiBasicAuth(),
  );

export const ROUTE_PAGED_BY = 'souk:route-paged-by';

/** The route gives a list in pages, by one of these fields; for the OpenAPI document. */
export const PagedBy = (...fields: string[]) => SetMetadata(ROUTE_PAGED_BY, fields);

/** Anybody may call it, without credentials. */
export const Public = () => SetMetadata(ROUTE_ACCESS, { kind: 'public' } satisfies RouteAccess);

/** A provider calls it, with Basic `slug:password` of its manifest. */
export const ForProvider = () =>
  applyDecorators(SetMetadata(ROUTE_ACCESS, { kind: 'provider' } satisfies RouteAccess), ApiBasicAuth());

/** A provider that has proved who it is. */
export interface CallingProvider {
  id: ProviderId;
  slug: string;
  author: Author;
}

/**
 * A provider calls it for one of its add-ons, with a Bearer token that it got for a grant. Where accounts have a route of
 * their own at the address, the token tells which of the two is meant, and the OpenAPI document describes the other.
 */
export const ForAddonToken = ({ shared = false, evenGone = false } = {}) =>
  applyDecorators(
    SetMetadata(ROUTE_ACCESS, { kind: 'addon', shared, evenGone } satisfies RouteAccess),
    ...(shared ? [RouteConstraints(OF_PROVIDERS), ApiExcludeEndpoint()] : [ApiBearerAuth()]),
  );

type WithUser = FastifyRequest & { user?: unknown };

/** The account that calls; only on routes with a scope. */
export const CurrentActor = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<WithUser>().user as Actor,
);

/** The provider that calls; only on its routes. */
export const CurrentProvider = createParamDecorator(
  (_: unknown, context: ExecutionContext) =>
    context.switchToHttp().getRequest<WithUser>().user as CallingProvider,
);

/** The provider that calls for one of its add-ons; only on routes for its tokens. */
export const CurrentAddonCaller = createParamDecorator(
  (_: unknown, context: ExecutionContext) =>
    context.switchToHttp().getRequest<WithUser>().user as AddonCaller,
);
