import { InvalidArgumentError, type Command } from 'commander';
import type { OperationHistoryResource, OperationResource } from '../../api/admin/operator-resources.js';
import { clientFromEnv } from '../api-client.js';
import { localTime, printFacts, table } from '../output.js';

type Named = { id: string; name: string };
type Operation = OperationResource & { addon: Named; app: Named };
type History = OperationHistoryResource & Operation;

interface ListOptions {
  state: string;
  type?: string;
  service?: string;
  app?: string;
  addon?: string;
  late?: boolean;
  stuck?: boolean;
  max: number;
  json?: boolean;
}

/** `souk operations …`: what is being done at providers (operators). */
export function addOperationCommands(program: Command): void {
  const operations = program
    .command('operations')
    .description('what is being done at providers: list, show, retry, abandon (operators)');
  addList(operations);
  operations
    .command('show')
    .argument('<id>', 'id of the operation')
    .option('--json', 'print JSON')
    .description('show an operation with all its calls; secrets are masked')
    .action(async (id: string, { json }: { json?: boolean }) => {
      const operation = await clientFromEnv().get<History>(pathOf(id));
      printFacts(operation, json, () => showText(operation));
    });
  operations
    .command('retry')
    .argument('<id>', 'id of the operation')
    .requiredOption('-r, --reason <text>', 'why; the audit trail keeps it')
    .option('--json', 'print JSON')
    .description('make the next call now')
    .action(async (id: string, { reason, json }: { reason: string; json?: boolean }) => {
      const operation = await clientFromEnv().post<History>(`${pathOf(id)}/retry`, { reason });
      printFacts(operation, json, () => showText(operation));
    });
  operations
    .command('abandon')
    .argument('<id>', 'id of the operation')
    .requiredOption('-r, --reason <text>', 'why; the audit trail keeps it')
    .option(
      '--without-confirmation',
      'end what undoes it, though the provider has not confirmed; leaves a finding',
    )
    .option('--json', 'print JSON')
    .description('give an operation up: a creation is cleaned up at the provider, a plan change taken back')
    .action(
      async (id: string, options: { reason: string; withoutConfirmation?: boolean; json?: boolean }) => {
        const operation = await clientFromEnv().post<History>(`${pathOf(id)}/abandon`, {
          reason: options.reason,
          without_confirmation: options.withoutConfirmation,
        });
        printFacts(operation, options.json, () => showText(operation));
      },
    );
}

function addList(operations: Command): void {
  operations
    .command('list')
    .option('--state <state>', 'a state, or open', 'open')
    .option('--type <type>', 'provision, deprovision, …')
    .option('--service <service>', 'name or id of the add-on service')
    .option('-a, --app <app>', 'name or id of the app')
    .option('--addon <addon>', 'name or id of the add-on')
    .option('--late', 'only those that are open for more than 15 minutes')
    .option('--stuck', 'only those whose time has come and which no worker takes')
    .option('--max <number>', 'how many, newest first', listLength, 50)
    .option('--json', 'print JSON')
    .description('list operations, newest first; those that are open, unless told otherwise')
    .action(async ({ max, json, late, stuck, ...filter }: ListOptions) => {
      const query = new URLSearchParams({
        ...filter,
        ...(late === true ? { late: 'true' } : {}),
        ...(stuck === true ? { stuck: 'true' } : {}),
      });
      const found = await clientFromEnv().get<Operation[]>(
        `/admin/operations?${query.toString()}`,
        `created_at ..; order=desc, max=${max}`,
      );
      printFacts(found, json, () => (found.length === 0 ? 'No such operations.' : listText(found)));
    });
}

function listText(operations: Operation[]): string {
  return table(
    ['ID', 'TYPE', 'STATE', 'ADD-ON', 'APP', 'PLAN', 'CALLS', 'NEXT', 'SINCE', 'LAST ERROR'],
    operations.map((one) => [
      one.id,
      one.type,
      stateOf(one),
      one.addon.name,
      one.app.name,
      planOf(one),
      String(one.attempt),
      one.finished_at === null ? localTime(one.next_attempt_at) : '',
      localTime(one.created_at),
      one.last_error ?? '',
    ]),
  );
}

/** A plan change has two. */
function planOf({ plan, target_plan: target }: Operation): string {
  return target === null || target === plan ? plan : `${plan} → ${target}`;
}

function stateOf({ state, held_by }: Operation): string {
  if (held_by === null) return state;
  return `${state} (${held_by === 'paused' ? 'paused' : 'circuit open'})`;
}

function showText(operation: History): string {
  const facts = table(
    ['OPERATION', operation.id],
    [
      ['type', operation.type],
      ['state', stateOf(operation)],
      ['add-on', `${operation.addon.name} (${operation.addon.id})`],
      ['app', operation.app.name],
      ['plan', planOf(operation)],
      ['region', operation.region],
      ['asked for by', operation.actor],
      ['since', localTime(operation.created_at)],
      ['next call', operation.finished_at === null ? localTime(operation.next_attempt_at) : ''],
      ['deadline', localTime(operation.deadline_at)],
      ['ended', localTime(operation.finished_at)],
      ['abandoned', localTime(operation.abandoned_at)],
      ['last error', operation.last_error ?? ''],
    ].filter(([, value]) => value !== ''),
  );
  if (operation.attempts.length === 0) return `${facts}\n\nNo call was made yet.`;
  const calls = table(
    ['CALL', 'WHAT', 'BEGAN', 'VERDICT', 'STATUS', 'DETAIL', 'REQUEST', 'REPLY'],
    operation.attempts.map((one) => [
      String(one.attempt),
      one.call,
      localTime(one.began_at),
      one.verdict,
      one.status === null ? '' : String(one.status),
      one.detail ?? '',
      one.request === null ? '' : JSON.stringify(one.request),
      one.reply === null ? '' : JSON.stringify(one.reply),
    ]),
  );
  return `${facts}\n\n${calls}`;
}

function pathOf(id: string): string {
  return `/admin/operations/${encodeURIComponent(id)}`;
}

function listLength(text: string): number {
  const max = Number(text);
  if (!Number.isInteger(max) || max < 1 || max > 1_000)
    throw new InvalidArgumentError('Give a whole number from 1 to 1000.');
  return max;
}
