import 'reflect-metadata';
import { buildProgram } from './cli/program.js';
import { explainFailure } from './cli/failure.js';

/** The one binary: every role and every command of Souk. */
export async function main(argv: string[]): Promise<void> {
  try {
    await buildProgram().parseAsync(argv);
  } catch (error) {
    process.stderr.write(`${explainFailure(error)}\n`);
    process.exit(1);
  }
}
