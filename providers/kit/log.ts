import { pino, type Logger } from 'pino';

export type { Logger } from 'pino';

/** Field names whose values never reach a log, wherever in a line they stand. */
const SECRET_FIELDS = ['password', 'secret', 'authorization', 'config', 'url', 'connectionString', 'token'];

/** Structured logs, one JSON object a line on standard output. */
export function createLogger(level: string, provider: string): Logger {
  return pino({
    level,
    base: { provider },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
      censor: '[secret]',
    },
  });
}

/** What of an error may be logged: never its query, its parameters or its address. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const cause = error.cause === undefined ? undefined : describeError(error.cause);
  const errors = error instanceof AggregateError ? error.errors.map(describeError) : undefined;
  return { errors, name: error.name, message: error.message, code, stack: error.stack, cause };
}
