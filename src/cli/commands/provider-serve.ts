import { createInterface } from 'node:readline';
import { Option, type Command } from 'commander';
import { ControlServer } from '../../conformance/control-server.js';
import { MovableClock } from '../../conformance/movable-clock.js';
import {
  ServedPlatform,
  ServeRefusal,
  type LogEntry,
  type ServedResource,
} from '../../conformance/served-platform.js';
import { readSubject } from '../conformance-subject.js';
import { readServeLine, SERVE_HELP, type ServeWish } from '../serve-line.js';
import { UntilSignal } from '../until-signal.js';
import { wholeNumber } from '../whole-number.js';

interface ServeOptions {
  baseUrl?: string;
  plan?: string;
  allowRemote?: boolean;
  platformPort: number;
  controlPort: number;
  timeout: number;
}

/** `souk provider serve`: the other half of the tester, for as long as a provider's author wants it. */
export function addProviderServeCommand(program: Command): void {
  const provider = program.commands.find((command) => command.name() === 'provider') ?? program;
  const port = (flags: string, description: string) =>
    new Option(flags, description).default(0, 'any free one').argParser(wholeNumber(0, 65_535));
  provider
    .command('serve')
    .argument(
      '<manifest>',
      'the addon-manifest.json of the provider; SOUK_PROVIDER_PASSWORD and SOUK_PROVIDER_SSO_SALT go before what it says',
    )
    .description('be a platform for a provider program: provision, change, sign on, and move the clock')
    .option('--base-url <url>', 'where the provider runs, instead of the address in the manifest')
    .option('--plan <plan>', 'the usual plan (default: the default plan of the manifest)')
    .option('--allow-remote', 'call a provider on another machine, by https')
    .addOption(port('--platform-port <port>', 'port of the platform that the provider calls back'))
    .addOption(port('--control-port <port>', 'port where scripts ask over HTTP'))
    .addOption(
      new Option('--timeout <seconds>', 'how long one call may take')
        .default(25)
        .argParser(wholeNumber(1, 3_600)),
    )
    .action(serve);
}

async function serve(manifestFile: string, options: ServeOptions): Promise<void> {
  const { facts, cloudRegion } = readSubject(manifestFile, {
    baseUrl: options.baseUrl,
    plan: options.plan,
    password: process.env.SOUK_PROVIDER_PASSWORD,
    ssoSalt: process.env.SOUK_PROVIDER_SSO_SALT,
    allowRemote: options.allowRemote === true,
  });
  const platform = new ServedPlatform({
    facts,
    cloudRegion,
    callTimeoutMs: options.timeout * 1_000,
    clock: new MovableClock(),
    onEntry: (entry) => say(entryText(entry)),
  });
  const control = new ControlServer(platform);
  const until = new UntilSignal();
  try {
    await platform.start(options.platformPort);
    await control.start(options.controlPort);
    say(
      `${facts.slug} at ${facts.baseUrl}\nplatform at ${platform.url}\ncontrol at ${control.url}\nhelp lists the commands.\n`,
    );
    await prompt(platform, control, until.signal);
  } finally {
    await control.stop();
    const leftovers = await platform.stop();
    for (const { uuid, why } of leftovers) say(`Left behind: ${uuid}. ${why}`);
    if (leftovers.length > 0) process.exitCode = 1;
    until.forget();
  }
}

/** Until `quit` or a signal. That the input ends is no reason to: it may run without a terminal. */
function prompt(platform: ServedPlatform, control: ControlServer, signal: AbortSignal): Promise<void> {
  const lines = createInterface({ input: process.stdin });
  const keepUp = setInterval(() => undefined, 60_000);
  return new Promise<void>((resolve, reject) => {
    const end = () => {
      clearInterval(keepUp);
      lines.close();
      // An open input would keep the process up.
      process.stdin.destroy();
      resolve();
    };
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    let before = Promise.resolve();
    lines.on('line', (line) => {
      // One after the other, as they were written.
      before = before.then(async () => {
        const wish = readServeLine(line);
        if (typeof wish === 'string') say(wish);
        else if (wish.name === 'quit') end();
        else await fulfil(wish, platform, control).catch(tell);
      });
      before.catch(reject);
    });
  });
}

async function fulfil(wish: ServeWish, platform: ServedPlatform, control: ControlServer): Promise<void> {
  switch (wish.name) {
    case 'provision':
      return say(resourceText(await platform.provision({ plan: wish.plan })));
    case 'repeat':
      return say(resourceText(await platform.repeat(wish.resource)));
    case 'change':
      return say(resourceText(await platform.changePlan(wish.resource, wish.plan)));
    case 'deprovision':
      return say(resourceText(await platform.deprovision(wish.resource)));
    case 'sso':
      // Refused here where there is no way to sign on, and not in the browser.
      platform.signOn(wish.resource);
      return say(`Open ${control.ssoUrl(platform.get(wish.resource).uuid)} in a browser.`);
    case 'clock':
      if (wish.advanceMs !== null) await platform.advance(wish.advanceMs);
      return say(`It is ${platform.now().toISOString()} at the platform.`);
    case 'list': {
      const resources = platform.list();
      return say(resources.length === 0 ? 'There are no resources.' : resources.map(resourceText).join('\n'));
    }
    case 'log':
      return say(platform.log.map(entryText).join('\n'));
    case 'help':
      return say(SERVE_HELP);
    case 'quit':
    case 'nothing':
  }
}

function tell(error: unknown): void {
  if (!(error instanceof ServeRefusal)) throw error;
  say(error.message);
}

function entryText({ at, from, sent, received }: LogEntry): string {
  const [to, back] = from === 'platform' ? ['→', '←'] : ['⇠', '⇢'];
  return `${at}\n  ${to} ${sent}\n  ${back} ${received}`;
}

function resourceText({
  uuid,
  id,
  plan,
  state,
  config_vars: vars,
  reason,
  refusals,
}: ServedResource): string {
  return [
    `${uuid}  ${state}, plan ${plan}${id === null || id === uuid ? '' : `, id ${id}`}`,
    ...(vars.length === 0 ? [] : [`  config vars: ${vars.join(', ')}`]),
    ...(reason === null ? [] : [`  ${reason}`]),
    ...refusals.slice(-3).map((refusal) => `  refused: ${refusal}`),
  ].join('\n');
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
