import { randomUUID } from 'node:crypto';
import type { Clock } from '../../kernel/clock.js';
import { isObject, isSuccess, outcomeOf, type Exchange } from '../exchange.js';
import type { Rule } from '../rule.js';
import type { Trial } from '../trial.js';
import { NotApplicable, Violation } from '../verdict.js';
import { MADE } from './provision.js';

const SOURCE = 'Partner API v3, log drains';
const PROTOCOLS = ['http:', 'https:', 'syslog:', 'syslog+tls:'];

/** What a provision answered about its drain. Throws `NotApplicable` where the manifest wants no logs. */
async function drainIn(trial: Trial): Promise<{ url: URL | null; exchange: Exchange }> {
  if (!trial.facts.wantsLogs)
    throw new NotApplicable('The manifest does not say syslog_drain in api.requires.');
  const { exchange } = await trial.make();
  const { reply } = exchange;
  const body = reply.kind === 'answered' && isObject(reply.json) ? reply.json : {};
  const text = body.log_drain_url;
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : null;
  if (url !== null) trial.session.mask.hide(text, url.password, decodeURIComponent(url.password));
  return { url, exchange };
}

/** A drain that the tester may write to. */
async function httpDrain(trial: Trial): Promise<URL> {
  const { url } = await drainIn(trial);
  if (url === null || !url.protocol.startsWith('http'))
    throw new NotApplicable('Only drains over HTTP are written to, and this one is none.');
  if (url.host !== new URL(trial.facts.baseUrl).host)
    throw new NotApplicable(`The drain is at ${url.host}, and only the host under test is called.`);
  return url;
}

function mustBeTaken(exchange: Exchange): void {
  if (!isSuccess(exchange.reply))
    throw new Violation(`A frame of two lines ended with ${outcomeOf(exchange.reply)}.`, [exchange]);
}

/** About a provider that takes the log lines of its apps. */
export const drainRules = (clock: Clock): readonly Rule[] => [
  {
    id: 'drain-url',
    title: 'A provider that wants logs names a drain in its answer',
    source: SOURCE,
    mend: 'Answer the provision with log_drain_url, an address of its own for each resource: that is where the lines of its apps go.',
    needs: MADE,
    run: async (trial) => {
      const { url, exchange } = await drainIn(trial);
      if (url === null || !PROTOCOLS.includes(url.protocol))
        throw new Violation('The answer has no log_drain_url that is a URL of http, https or syslog.', [
          exchange,
        ]);
    },
  },
  {
    id: 'drain-frame',
    title: 'Log lines in a Logplex frame are taken',
    source: SOURCE,
    mend: 'Take POST with the type application/logplex-1: Logplex-Msg-Count messages, each after its length in bytes and a space. Answer 2xx.',
    needs: [...MADE, 'drain-url'],
    run: async (trial) => {
      mustBeTaken(await trial.drain(await httpDrain(trial), randomUUID(), clock.now()));
    },
  },
  {
    id: 'drain-repeat',
    title: 'A frame that comes a second time is answered as the first time',
    source: SOURCE,
    mend: 'Answer 2xx, and store nothing: Logplex-Frame-Id is the same when a frame is repeated, whose first answer may have been lost.',
    needs: [...MADE, 'drain-frame'],
    run: async (trial) => {
      const url = await httpDrain(trial);
      const frame = randomUUID();
      mustBeTaken(await trial.drain(url, frame, clock.now()));
      mustBeTaken(await trial.drain(url, frame, clock.now()));
    },
  },
  {
    id: 'drain-closed',
    title: "Log lines without the drain's password are refused with 401",
    source: SOURCE,
    mend: 'Compare the user and password of log_drain_url, and answer 401. Whoever finds the address could write into the log otherwise.',
    needs: [...MADE, 'drain-frame'],
    run: async (trial) => {
      const url = await httpDrain(trial);
      if (url.password === '')
        throw new NotApplicable('The drain has no password: its address itself is the secret.');
      const open = new URL(url);
      [open.username, open.password] = ['', ''];
      const exchange = await trial.drain(open, randomUUID(), clock.now());
      const { reply } = exchange;
      if (reply.kind !== 'answered' || ![401, 403].includes(reply.status))
        throw new Violation(`Expected 401; it ended with ${outcomeOf(reply)}.`, [exchange]);
    },
  },
];
