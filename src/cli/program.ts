import { Command } from 'commander';
import { addAddonActionCommand } from './commands/addon-action.js';
import { addAccountCommands } from './commands/accounts.js';
import { addAuditCommands } from './commands/audit.js';
import { addCliEnvCommand } from './commands/cli-env.js';
import { addDbCommands } from './commands/db.js';
import { addDemoCommands } from './commands/demo.js';
import { addDoctorCommand } from './commands/doctor.js';
import { addFindingCommands } from './commands/findings.js';
import { addKeyCommands } from './commands/keys.js';
import { addNoticeCommands } from './commands/notices.js';
import { addOperationCommands } from './commands/operations.js';
import { addProviderCommands } from './commands/providers.js';
import { addProviderNewCommand } from './commands/provider-new.js';
import { addProviderServeCommand } from './commands/provider-serve.js';
import { addProviderTestCommands } from './commands/provider-test.js';
import { addQuoteCommand } from './commands/plan-quote.js';
import { addTokenCommands } from './commands/tokens.js';
import { addUpCommand } from './commands/up.js';

/** Every command of `souk`. */
export function buildProgram(): Command {
  const program = new Command('souk')
    .description('The open add-on marketplace and provisioning broker.')
    .addHelpText(
      'after',
      '\nCommands that ask a server find it in SOUK_URL and SOUK_TOKEN, or in the folder SOUK_HOME (.souk) of a Souk on this machine.',
    )
    .showHelpAfterError('(souk --help lists the commands)');
  addUpCommand(program);
  addDemoCommands(program);
  addCliEnvCommand(program);
  addDoctorCommand(program);
  addTokenCommands(program);
  addAccountCommands(program);
  addNoticeCommands(program);
  addQuoteCommand(program);
  addAddonActionCommand(program);
  addKeyCommands(program);
  addAuditCommands(program);
  addOperationCommands(program);
  addProviderCommands(program);
  addFindingCommands(program);
  addProviderTestCommands(program);
  addProviderServeCommand(program);
  addProviderNewCommand(program);
  addDbCommands(program);
  return program;
}
