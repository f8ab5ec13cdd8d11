import { Injectable, RequestMethod } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { ROUTE_ACCESS, ROUTE_PAGED_BY, type RouteAccess } from './route-access.js';

export interface RouteFact {
  method: string;
  path: string;
  access: RouteAccess | undefined;
  /** The fields by which its list is paged; null where there are no pages. */
  pagedBy: string[] | null;
}

/** Every route of the broker with who may call it: for the check at start-up, and for the tests that count. */
@Injectable()
export class RouteInventory {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
  ) {}

  list(): RouteFact[] {
    return this.discovery.getControllers().flatMap(({ instance, metatype }) => {
      if (metatype === null || typeof metatype !== 'function' || instance === undefined) return [];
      const prefixes = asList(Reflect.getMetadata('path', metatype));
      const prototype = Object.getPrototypeOf(instance) as object;
      return this.scanner.getAllMethodNames(prototype).flatMap((name) => {
        const handler = (prototype as Record<string, () => unknown>)[name];
        if (handler === undefined) return [];
        const method = Reflect.getMetadata('method', handler) as RequestMethod | undefined;
        if (method === undefined) return [];
        const access = this.reflector.getAllAndOverride<RouteAccess | undefined>(ROUTE_ACCESS, [
          handler,
          metatype,
        ]);
        const pagedBy = this.reflector.get<string[] | undefined>(ROUTE_PAGED_BY, handler) ?? null;
        return prefixes.flatMap((prefix) =>
          asList(Reflect.getMetadata('path', handler)).map((path) => ({
            method: RequestMethod[method],
            path: `/${[prefix, path]
              .map((part) => part.replace(/^\/|\/$/g, ''))
              .filter((part) => part !== '')
              .join('/')}`,
            access,
            pagedBy,
          })),
        );
      });
    });
  }

  /** Stops the start-up when a route does not say who may call it. */
  assertComplete(): void {
    const open = this.list().filter(({ access }) => access === undefined);
    if (open.length > 0)
      throw new Error(
        `routes without @Requires, @ForProvider or @Public: ${open.map((r) => `${r.method} ${r.path}`).join(', ')}`,
      );
  }
}

function asList(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [typeof value === 'string' ? value : ''];
}
