import type { Command } from 'commander';
import type { PauseResource, ProviderResource } from '../../api/admin/operator-resources.js';
import { ApiError, clientFromEnv } from '../api-client.js';
import { localTime, printFacts, table } from '../output.js';

type Provider = ProviderResource & { operations: { open: number; held: number } };

interface TargetOptions {
  plan?: string;
  region?: string;
  reason: string;
  json?: boolean;
}

/** `souk providers …`: whether they answer, and pauses (operators). */
export function addProviderCommands(program: Command): void {
  const providers = program
    .command('providers')
    .description('providers, whether they answer, and pauses (operators)');
  providers
    .command('list')
    .option('--json', 'print JSON')
    .description('list the providers and what is paused')
    .action(async ({ json }: { json?: boolean }) => {
      const client = clientFromEnv();
      const found = await client.get<Provider[]>('/admin/providers');
      const pauses = await client.get<PauseResource[]>('/admin/pauses');
      printFacts({ providers: found, pauses }, json, () => listText(found, pauses));
    });
  withTarget(providers.command('pause'))
    .description('pause a service, a plan or a region: nothing new begins there; customers read the reason')
    .action(async (service: string | undefined, { plan, region, reason, json }: TargetOptions) => {
      const pause = await clientFromEnv().post<PauseResource>('/admin/pauses', {
        service,
        plan,
        region,
        reason,
      });
      printFacts(pause, json, () => `${pause.target} is paused: ${pause.reason}`);
    });
  withTarget(providers.command('resume'))
    .description('end a pause; what it held goes on within seconds')
    .action(async (service: string | undefined, options: TargetOptions) => {
      const client = clientFromEnv();
      const pauses = await client.get<PauseResource[]>('/admin/pauses');
      const pause = pauses.find((one) => isMeant(one, service, options));
      if (pause === undefined)
        throw new ApiError('That is not paused; see `souk providers list`.', null, null);
      const ended = await client.post<PauseResource>(`/admin/pauses/${pause.id}/resume`, {
        reason: options.reason,
      });
      printFacts(ended, options.json, () => `${ended.target} goes on.`);
    });
}

function withTarget(command: Command): Command {
  return command
    .argument('[service]', 'name of the add-on service')
    .option('--plan <plan>', 'service:plan, instead of a service')
    .option('--region <region>', 'name of a region, instead of a service')
    .requiredOption('-r, --reason <text>', 'why; the audit trail keeps it')
    .option('--json', 'print JSON');
}

function isMeant(pause: PauseResource, service: string | undefined, options: TargetOptions): boolean {
  const { scope, target } = pause;
  if (service !== undefined) return scope === 'provider' && target === service;
  if (options.plan !== undefined) return scope === 'plan' && target === options.plan;
  return scope === 'region' && target === options.region;
}

function listText(providers: Provider[], pauses: PauseResource[]): string {
  const list = table(
    ['SERVICE', 'CIRCUIT', 'NEXT CALL', 'PAUSED', 'OPEN', 'HELD'],
    providers.map((one) => [
      one.service,
      one.circuit.replace('_', ' '),
      one.circuit === 'closed' ? '' : localTime(one.circuit_probe_at),
      one.paused ?? '',
      String(one.operations.open),
      String(one.operations.held),
    ]),
  );
  if (pauses.length === 0) return list;
  const paused = table(
    ['PAUSED', 'WHAT', 'REASON', 'BY', 'SINCE'],
    pauses.map((one) => [one.target, one.scope, one.reason, one.paused_by, localTime(one.created_at)]),
  );
  return `${list}\n\n${paused}`;
}
