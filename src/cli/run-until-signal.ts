import { readSettings } from '../kernel/config.js';
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
  let souk: Souk;
  try {
    souk = await startSouk(settings, progress);
  } catch (error) {
    progress.fail();
    signal.forget();
    throw error;
  }
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

/** Listens from the first moment on, so that a signal during the start is not lost. */
function nextSignal(): { arrived: Promise<NodeJS.Signals>; forget: () => void } {
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
