import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { accountErrors } from '../../accounts/accounts.errors.js';
import { mayUse, type Actor } from '../../accounts/actor.js';
import type { AddonCaller } from '../../addons/grants/authenticate-provider.js';
import { grantErrors } from '../../addons/grants/grants.errors.js';
import { ROUTE_ACCESS, type RouteAccess } from './route-access.js';
import { Strategies, type StrategyName } from './strategies.js';

/** Lets a request through when its route's access says so. A route without one is closed. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly strategies: Strategies,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const access = this.reflector.getAllAndOverride<RouteAccess | undefined>(ROUTE_ACCESS, [
      context.getHandler(),
      context.getClass(),
    ]);
    switch (access?.kind) {
      case 'public':
        return true;
      case 'provider':
        await this.identify('provider', context);
        return true;
      case 'addon': {
        const caller = (await this.identify('addon', context)) as AddonCaller;
        if (caller.isGone && !access.evenGone) throw grantErrors.addon_gone();
        return true;
      }
      case 'scope': {
        const actor = (await this.identify('token', context)) as Actor;
        if (mayUse(actor, access.scope)) return true;
        throw accountErrors.forbidden({ message: `This needs a token with the scope ${access.scope}.` });
      }
      case undefined:
        throw accountErrors.forbidden({ internal: 'the route names no access' });
    }
  }

  private async identify(name: StrategyName, context: ExecutionContext): Promise<object> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest & { user?: object }>();
    const user = await this.strategies.identify(name, request, http.getResponse<FastifyReply>());
    request.user = user;
    return user;
  }
}
