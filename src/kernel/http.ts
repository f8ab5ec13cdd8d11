import 'fastify';

/** What the HTTP layer notes on each request for those further in. */
declare module 'fastify' {
  interface FastifyRequest {
    /** One id a request: sent back, logged, and kept in the audit trail. */
    requestId: string;
  }
}
