import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import { parseParams, type ParamsSchema } from '../action-params.js';
import { ApiError, clientFromEnv, type ApiClient } from '../api-client.js';
import { printFacts, table } from '../output.js';
import { TerminalProgress } from '../terminal-progress.js';

interface Action {
  name: string;
  title: string;
  kind: string;
  confirm: boolean;
  params: ParamsSchema;
}

interface Run {
  id: string;
  state: string;
  result: unknown;
  message: string | null;
}

interface Options {
  param: string[];
  confirm?: string;
  wait: boolean;
  json?: boolean;
}

/** How often to ask whether a run has ended. */
const LOOK_MS = 1_000;

/** `souk addons:action`: what a provider offers to do with an add-on, and having it done. */
export function addAddonActionCommand(program: Command): void {
  program
    .command('addons:action')
    .argument('<addon>', 'name or id of the add-on')
    .argument('[action]', 'the action to run; left out, they are listed')
    .option('--param <name=value>', 'a param of the action; may be repeated', collect, [])
    .option('--confirm <addon>', 'the name of the add-on again, where the action asks for it')
    .option('--no-wait', 'do not wait for the end of the run')
    .option('--json', 'print JSON')
    .description('list the actions of an add-on, or run one')
    .action(async (addon: string, name: string | undefined, options: Options) => {
      const client = clientFromEnv();
      const path = `/addons/${encodeURIComponent(addon)}/actions`;
      const actions = await client.get<Action[]>(path);
      if (name === undefined) printFacts(actions, options.json, () => listOf(actions));
      else await run(client, `${path}/${encodeURIComponent(name)}`, name, actions, options);
    });
}

async function run(
  client: ApiClient,
  path: string,
  name: string,
  actions: Action[],
  options: Options,
): Promise<void> {
  // One that is not listed is asked for all the same: the server has the words for it.
  const params = parseParams(options.param, actions.find((one) => one.name === name)?.params ?? {});
  const progress = new TerminalProgress();
  progress.step(`Running ${name}`);
  try {
    let latest = await client.post<Run>(path, { params, confirm: options.confirm });
    while (latest.state === 'pending' && options.wait) {
      await wait(LOOK_MS);
      latest = await client.get<Run>(`${path}/runs/${latest.id}`);
    }
    if (latest.state === 'failed')
      throw new ApiError(latest.message ?? `${name} failed, and the provider gave no reason.`, null, null);
    progress.done();
    printFacts(latest, options.json, () => linesOf(name, latest).join('\n'));
  } catch (error) {
    progress.fail();
    throw error;
  }
}

function linesOf(name: string, { id, state, result, message }: Run): string[] {
  if (state === 'pending') return [`${name} goes on (run ${id}).`];
  return [message ?? `${name} is done.`, ...(result === null ? [] : [JSON.stringify(result, null, 2)])];
}

function listOf(actions: Action[]): string {
  if (actions.length === 0) return 'The provider of this add-on offers no actions.';
  return table(
    ['ACTION', 'TITLE', 'KIND', 'PARAMS', 'CONFIRM'],
    actions.map(({ name, title, kind, params, confirm }) => [
      name,
      title,
      kind,
      paramsOf(params),
      confirm ? 'yes' : '',
    ]),
  );
}

/** `label=string [keep=integer]`: what is in brackets may be left out. */
function paramsOf({ properties = {}, required = [] }: ParamsSchema): string {
  const texts = Object.entries(properties).map(([name, { type }]) =>
    required.includes(name) ? `${name}=${type}` : `[${name}=${type}]`,
  );
  const isOptional = (text: string) => text.startsWith('[');
  return [...texts.filter((text) => !isOptional(text)), ...texts.filter(isOptional)].join(' ');
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}
