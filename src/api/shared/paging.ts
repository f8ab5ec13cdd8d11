import type { FastifyReply } from 'fastify';
import type { Page } from '../../kernel/range.js';

/**
 * Sends a page with the Platform API's headers (reference, "Ranges"): what was sent in `Content-Range`; 206 and
 * `Next-Range` while there is more.
 */
export function sendPage<T, U>(reply: FastifyReply, page: Page<T>, fields: string, items: U[]): U[] {
  void reply.header('accept-ranges', fields);
  if (page.shown !== null) void reply.header('content-range', page.shown);
  if (page.next !== null) void reply.status(206).header('next-range', page.next);
  return items;
}
