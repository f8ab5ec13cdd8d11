import type { Command } from 'commander';
import { clientFromEnv } from '../api-client.js';
import { printFacts } from '../output.js';
import { TerminalProgress } from '../terminal-progress.js';

interface Step {
  key_id: string;
  moved: number;
  left: number;
}

/** `souk keys rotate`, for operators. */
export function addKeyCommands(program: Command): void {
  program
    .command('keys')
    .description('the keys that secrets are encrypted under (operators)')
    .command('rotate')
    .option('--resume', 'go on with a rotation that was interrupted, without a new key')
    .option('--json', 'print JSON')
    .description('make a new key and encrypt every secret anew under it, while the server runs')
    .action(async ({ json, resume }: { json?: boolean; resume?: boolean }) => {
      const client = clientFromEnv();
      const progress = new TerminalProgress();
      progress.step(resume === true ? 'Encrypting what is left' : 'Making a new key');
      let step = await client.post<Step>('/admin/keys/rotate', { new_key: resume !== true });
      let moved = step.moved;
      while (step.left > 0) {
        progress.step(`Encrypting secrets anew: ${moved} done, ${step.left} left`);
        step = await client.post<Step>('/admin/keys/rotate', {});
        moved += step.moved;
      }
      progress.done();
      printFacts(
        { key_id: step.key_id, moved },
        json,
        () => `${moved} secrets are now encrypted under key ${step.key_id}.`,
      );
    });
}
