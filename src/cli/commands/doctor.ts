import type { Command } from 'commander';
import type { Check } from '../doctor/check.js';
import { examine } from '../doctor/examine.js';
import { printFacts } from '../output.js';

const MARKS: Record<Check['verdict'], string> = { good: '✔', gap: '!', bad: '✖' };

/** `souk doctor`: what is wrong with this machine, and the line that mends it. */
export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .option('--json', 'print JSON')
    .description('say what is wrong with this machine for running Souk, and how to mend it; changes nothing')
    .action(async ({ json }: { json?: boolean }) => {
      const checks = await examine(process.env, process.cwd());
      const bad = checks.filter((check) => check.verdict === 'bad').length;
      printFacts({ ok: bad === 0, checks }, json, () =>
        [...checks.map(line), '', summary(checks, bad)].join('\n'),
      );
      if (bad > 0) process.exitCode = 1;
    });
}

function line({ verdict, name, found, fix }: Check): string {
  return `${MARKS[verdict]} ${name}: ${found}${fix === undefined ? '' : `\n    → ${fix}`}`;
}

function summary(checks: Check[], bad: number): string {
  if (bad > 0) return `Souk cannot run here yet: ${bad} of ${checks.length} checks failed.`;
  const gaps = checks.filter((check) => check.verdict === 'gap').length;
  return gaps === 0
    ? 'Souk can run here.'
    : `Souk can run here; ${gaps} ${gaps === 1 ? 'part is' : 'parts are'} missing or worth a look.`;
}
