import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Ctrl-C sent to a group arrives twice at once, from the terminal and from npm: that is one asking. */
const SAME_ASKING_MS = 1_000;

/** Ctrl-C or SIGTERM asks for an end in good order; asked again, the process ends at once. */
export class UntilSignal {
  private readonly controller = new AbortController();
  private asked: { name: NodeJS.Signals; at: number } | null = null;

  constructor() {
    for (const name of SIGNALS) process.on(name, this.hear);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** What a shell expects of a process that ended so; null when no signal came. */
  get exitCode(): number | null {
    return this.asked === null ? null : 128 + constants.signals[this.asked.name];
  }

  forget(): void {
    for (const name of SIGNALS) process.removeListener(name, this.hear);
  }

  private readonly hear = (name: NodeJS.Signals): void => {
    if (this.asked !== null) {
      if (performance.now() - this.asked.at > SAME_ASKING_MS) process.exit(128 + constants.signals[name]);
      return;
    }
    this.asked = { name, at: performance.now() };
    process.stderr.write('Stopping: what was made is taken away. Once more to end at once.\n');
    this.controller.abort(new Error(`the test was broken off by ${name}`));
  };
}
