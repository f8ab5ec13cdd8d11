import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { describeError, type Logger } from './log.js';

/** A stop that takes longer is cut short, before whoever asked for it loses patience and kills us. */
const STOP_MS = 18_000;

/** What a provider program is while it runs. */
export interface RunningProvider {
  server: FastifyInstance;
  /** Ends schedules, connections and engines; the server is already drained. */
  stop(): Promise<void>;
}

export interface ProgramOptions {
  log: Logger;
  host: string;
  port: number;
  /** Stop when standard input ends: then whoever started us is gone. */
  supervised: boolean;
  start(): Promise<RunningProvider>;
}

/**
 * A provider's `main`: what fails before there is a log, such as a setting that makes no sense, is one sentence for
 * whoever started us.
 */
export async function runMain(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}

/** Runs a provider until it is told to stop, and says on standard output where it listens. */
export async function runProgram(options: ProgramOptions): Promise<void> {
  const { log } = options;
  let stopping = false;
  const starting = options.start();

  const stop = async (why: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    log.info({ why }, 'stopping');
    const limit = setTimeout(() => {
      log.error('the stop took too long and is cut short');
      process.exit(1);
    }, STOP_MS);
    // A stop that comes during the start waits for it, so that nothing half started stays behind.
    const running = await starting.catch(() => null);
    await running?.server.close();
    await running?.stop();
    clearTimeout(limit);
    log.info('stopped');
    process.exit(0);
  };
  const stopOn = (why: string) => () => {
    stop(why).catch((error: unknown) => die(log, error));
  };
  process.once('SIGTERM', stopOn('SIGTERM'));
  process.once('SIGINT', stopOn('SIGINT'));
  if (options.supervised)
    process.stdin.on('end', stopOn('end of input')).on('close', stopOn('end of input')).resume();

  try {
    const running = await starting;
    if (stopping) return;
    await running.server.listen({ host: options.host, port: options.port }).catch((error: unknown) => {
      throw isTaken(error) ? new PortTaken(options.port, { cause: error }) : error;
    });
    const { port } = running.server.server.address() as AddressInfo;
    process.stdout.write(`${JSON.stringify({ event: 'listening', port })}\n`);
  } catch (error) {
    die(log, error);
  }
}

class PortTaken extends Error {
  constructor(port: number, options: ErrorOptions) {
    super(
      `Another program listens on port ${port}, perhaps an earlier run of this one. Stop it, or choose another with PORT=….`,
      options,
    );
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}

/** The plain line is for whoever started us and shows a program's last words. */
function die(log: Logger, error: unknown): never {
  log.fatal({ error: describeError(error) }, 'the provider ends');
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
