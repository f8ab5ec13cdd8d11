import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

/** How full an answer is asked to be: `Accept-Expansion` and `Accept-Inclusion` as the CLI sends them. */
export interface Shape {
  expandService: boolean;
  expandPlan: boolean;
  includePlan: boolean;
  includeConfigVars: boolean;
}

function shapeOf(headers: Record<string, string | string[] | undefined>): Shape {
  const expansion = words(headers['accept-expansion']);
  const inclusion = words(headers['accept-inclusion']);
  return {
    expandService: expansion.has('addon_service'),
    expandPlan: expansion.has('plan'),
    includePlan: inclusion.has('addon:plan'),
    includeConfigVars: inclusion.has('config_vars'),
  };
}

/** The shape that a request asks for. */
export const RequestShape = createParamDecorator((_: unknown, context: ExecutionContext) =>
  shapeOf(context.switchToHttp().getRequest<FastifyRequest>().headers),
);

function words(header: string | string[] | undefined): Set<string> {
  const text = Array.isArray(header) ? header.join(',') : (header ?? '');
  return new Set(text.split(',').map((word) => word.trim()));
}
