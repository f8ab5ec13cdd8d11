import { constants } from 'node:os';
import { readSettings, type Settings } from '../kernel/config.js';
import type { Progress } from '../kernel/progress.js';
import { startSouk, type Souk } from '../roots/souk.js';
import { TerminalProgress } from './terminal-progress.js';

/** Longer than a call to a provider, a drain and an engine's stop together. */
const STOP_MAX_MS = 90_000;

const SAME_ASKING_MS = 1_000;

/** Starts Souk, hands it to `whenUp`, and stays until SIGINT or SIGTERM; then drains and ends. */
export async function runUntilSignal(
  env: NodeJS.ProcessEnv,
  whenUp: (souk: Souk, progress: TerminalProgress) => Promise<void>,
): Promise<void> {
  const settings = readSettings(env, process.cwd());
  const progress = new TerminalProgress();
  const signal = nextSignal();
  const souk = await startUnlessTold(settings, progress, signal);
  try {
    await Promise.race([whenUp(souk, progress), signal.arrived]);
    const name = await signal.arrived;
    souk.log.info({ signal: name }, 'stopping');
  } finally {
    progress.fail();
    exitWhenAskedAgain();
    setTimeout(() => {
      souk.log.fatal(
        { afterMs: STOP_MAX_MS },
        'not everything has ended; engines are left to the next start',
      );
      process.exit(1);
    }, STOP_MAX_MS).unref();
    await souk.stop();
    signal.forget();
  }
  souk.log.info('stopped');
  process.exit(process.exitCode ?? 0);
}

/** A signal during the start gives it up: what was begun is ended, and the process with it. */
async function startUnlessTold(
  settings: Settings,
  progress: TerminalProgress,
  signal: NextSignal,
): Promise<Souk> {
  const giveUp = new AbortController();
  let over = false;
  void signal.arrived.then((name) => {
    if (over) return;
    progress.fail();
    progress.note('Stopping: what was started is ended.');
    exitWhenAskedAgain();
    setTimeout(() => process.exit(1), STOP_MAX_MS).unref();
    giveUp.abort(new StartGivenUp(name));
  });
  try {
    return await startSouk(settings, new UntilAborted(progress, giveUp.signal), giveUp.signal);
  } catch (error) {
    progress.fail();
    if (error instanceof StartGivenUp) process.exit(128 + constants.signals[error.signal]);
    signal.forget();
    throw error;
  } finally {
    over = true;
  }
}

class StartGivenUp extends Error {
  constructor(readonly signal: NodeJS.Signals) {
    super(`the start was given up at ${signal}`);
    this.name = 'StartGivenUp';
  }
}

/** The steps of a start that is given up are nothing to show any more. */
class UntilAborted implements Progress {
  constructor(
    private readonly shown: Progress,
    private readonly signal: AbortSignal,
  ) {}

  step(sentence: string): void {
    if (!this.signal.aborted) this.shown.step(sentence);
  }

  note(sentence: string): void {
    if (!this.signal.aborted) this.shown.note(sentence);
  }

  done(sentence?: string): void {
    if (!this.signal.aborted) this.shown.done(sentence);
  }
}

/**
 * Whoever asks twice does not want to wait for what is under way. Ctrl-C under `npm run` arrives twice at once, from
 * the terminal and from npm: that is one asking.
 */
function exitWhenAskedAgain(): void {
  const began = performance.now();
  process.on('SIGINT', () => {
    if (performance.now() - began > SAME_ASKING_MS) process.exit(130);
  });
}

interface NextSignal {
  arrived: Promise<NodeJS.Signals>;
  forget: () => void;
}

/** Listens from the first moment on, so that a signal during the start is not lost. */
function nextSignal(): NextSignal {
  const names: NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];
  let hear: (name: NodeJS.Signals) => void = () => undefined;
  const arrived = new Promise<NodeJS.Signals>((resolve) => {
    hear = resolve;
  });
  for (const name of names) process.on(name, hear);
  return {
    arrived,
    forget: () => {
      for (const name of names) process.removeListener(name, hear);
    },
  };
}
