import { readFileSync, writeFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import { badgeFacts, signBadge, verifyBadge } from '../../conformance/badge.js';
import { toJunit } from '../../conformance/junit.js';
import { allRules } from '../../conformance/rules/index.js';
import { runConformance } from '../../conformance/run-conformance.js';
import { isClean, type ConformanceReport } from '../../conformance/verdict.js';
import { ConformanceError } from '../../conformance/verdict.js';
import { Clock } from '../../kernel/clock.js';
import { givenKey, ownSigningKey, trustedKey } from '../badge-keys.js';
import { presentReport, resultText, summaryText } from '../conformance-report.js';
import { readSubject } from '../conformance-subject.js';
import { printFacts } from '../output.js';
import { UntilSignal } from '../until-signal.js';
import { wholeNumber } from '../whole-number.js';

interface TestOptions {
  baseUrl?: string;
  plan?: string;
  only?: string[];
  allowRemote?: boolean;
  platformPort: number;
  timeout: number;
  wait: number;
  junit?: string;
  badge?: string;
  key?: string;
  json?: boolean;
}

/** `souk provider`: for those who write a provider. */
export function addProviderTestCommands(program: Command): void {
  const provider = program.command('provider').description('for those who write a provider');
  provider
    .command('test')
    .argument(
      '<manifest|url>',
      'the addon-manifest.json of the provider, or the address where it runs; SOUK_PROVIDER_PASSWORD and SOUK_PROVIDER_SSO_SALT go before what the manifest says',
    )
    .description(
      'test a provider program against the Add-on Partner API v3; it makes and deletes resources there',
    )
    .option('--manifest <file>', 'the manifest, where the address was given', 'addon-manifest.json')
    .option('--base-url <url>', 'where the provider runs, instead of the address in the manifest')
    .option('--plan <plan>', 'the plan to provision (default: the default plan of the manifest)')
    .option('--only <rule...>', 'these rules, and those that they rest on')
    .option('--allow-remote', 'call a provider on another machine, by https')
    .addOption(port('--platform-port <port>', 'port of the local platform that the provider calls back'))
    .addOption(seconds('--timeout <seconds>', 'how long one call may take', 25))
    .addOption(seconds('--wait <seconds>', 'how long asynchronous work may take', 60))
    .option('--junit <file>', 'write the results as JUnit XML, too')
    .option('--badge <file>', 'write the result with a signature, too')
    .option('--key <file>', 'private key (Ed25519, PEM) for the badge, instead of the one in SOUK_HOME')
    .option('--json', 'print JSON')
    .action((given: string, options: TestOptions & { manifest: string }) =>
      /^https?:\/\//.test(given)
        ? testProvider(options.manifest, { ...options, baseUrl: given })
        : testProvider(given, options),
    );
  provider
    .command('rules')
    .option('--json', 'print JSON')
    .description('list what `souk provider test` looks at')
    .action(({ json }: { json?: boolean }) => {
      const rules = allRules(new Clock()).map(({ id, title, source, mend }) => ({ id, title, source, mend }));
      printFacts(rules, json, () => rules.map(({ id, title }) => `${id}\n    ${title}`).join('\n'));
    });
  provider
    .command('verify-badge')
    .argument('<file>', 'what `souk provider test --badge` wrote')
    .description('check who signed a badge, and that nobody changed it')
    .option('--key <file>', 'public key (PEM) of whom you trust, instead of the one in SOUK_HOME')
    .option('--json', 'print JSON')
    .action((file: string, { key, json }: { key?: string; json?: boolean }) => {
      const facts = verifyBadge(readBadge(file), trustedKey(process.env, process.cwd(), key));
      const { pass, fail, skip } = facts.counts;
      printFacts({ valid: true, ...facts }, json, () =>
        [
          'The signature is good.',
          `${facts.service}, tested at ${facts.tested_at}: ${facts.result} (${pass} passed, ${fail} failed, ${skip} skipped).`,
          `Manifest: sha256 ${facts.manifest_sha256}`,
        ].join('\n'),
      );
      if (facts.result !== 'passed') process.exitCode = 1;
    });
}

function readBadge(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConformanceError(
      `The badge ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
}

async function testProvider(manifestFile: string, options: TestOptions): Promise<void> {
  const subject = readSubject(manifestFile, {
    baseUrl: options.baseUrl,
    plan: options.plan,
    password: process.env.SOUK_PROVIDER_PASSWORD,
    ssoSalt: process.env.SOUK_PROVIDER_SSO_SALT,
    allowRemote: options.allowRemote === true,
  });
  // Before the first call: a key that cannot be read should not cost a whole test.
  const signingKey =
    options.badge === undefined ? null : (givenKey(options.key) ?? ownSigningKey(process.env, process.cwd()));
  const say = (text: string): void => {
    if (options.json !== true) process.stdout.write(`${text}\n`);
  };
  const until = new UntilSignal();
  let report: ConformanceReport;
  try {
    report = await runConformance({
      facts: subject.facts,
      cloudRegion: subject.cloudRegion,
      manifestProblems: subject.problems,
      only: options.only ?? [],
      platformPort: options.platformPort,
      callTimeoutMs: options.timeout * 1_000,
      asyncTimeoutMs: options.wait * 1_000,
      clock: new Clock(),
      signal: until.signal,
      onStart: (platformUrl) =>
        say(`${subject.facts.slug} at ${subject.facts.baseUrl}, with a local platform at ${platformUrl}\n`),
      onResult: (result) => say(resultText(result)),
    });
  } finally {
    until.forget();
  }
  if (options.json === true) printFacts(presentReport(report), true, () => '');
  else say(summaryText(report));
  if (options.junit !== undefined) writeFileSync(options.junit, toJunit(report));
  if (options.badge !== undefined && signingKey !== null)
    writeFileSync(
      options.badge,
      `${JSON.stringify(signBadge(badgeFacts(report, subject.file), signingKey), null, 2)}\n`,
    );
  if (!isClean(report)) process.exitCode = until.exitCode ?? 1;
}

function seconds(flags: string, description: string, usual: number): Option {
  return new Option(flags, description).default(usual).argParser(wholeNumber(1, 3_600));
}

function port(flags: string, description: string): Option {
  return new Option(flags, description).default(0, 'any free one').argParser(wholeNumber(0, 65_535));
}
