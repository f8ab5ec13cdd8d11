import type { Command } from 'commander';
import { runUntilSignal } from '../run-until-signal.js';

/** `souk up`: the server, for real use. */
export function addUpCommand(program: Command): void {
  program
    .command('up')
    .description('start the server; the environment says how (docs/operator.md)')
    .action(() =>
      runUntilSignal(process.env, async (souk, progress) => {
        for (const sentence of souk.missing) progress.note(sentence);
        progress.done(
          `Souk is up at ${souk.config.publicUrl} (role ${souk.config.role}, queue on ${souk.config.queue}), kept in ${souk.folders.join(', ')}`,
        );
      }),
    );
}
