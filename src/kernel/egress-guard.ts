import { lookup, type LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import { buildConnector } from 'undici';
import { CONFIG, type Config } from './config.js';
import { egressProblem, type EgressRule } from './egress.js';

const RESOLVE_MS_MAX = 5_000;
const CONNECT_MS_MAX = 10_000;

/** A call was not made, because of where it would have gone. */
export class EgressRefused extends Error {
  readonly code = 'EGRESS_REFUSED';
}

/** Keeps calls to addresses that others chose out of the networks that only this machine can reach. */
@Injectable()
export class EgressGuard {
  private readonly allowed: readonly EgressRule[];

  constructor(@Inject(CONFIG) config: Pick<Config, 'egressAllow'>) {
    this.allowed = config.egressAllow;
  }

  /**
   * What is wrong with an address as it resolves now; null when nothing is. A name that does not resolve yet is let
   * through: the connection is judged again, and only that decides.
   */
  async problemWith(url: URL): Promise<string | null> {
    const destination = { protocol: url.protocol, host: bare(url.hostname), port: portOf(url) };
    const addresses = await this.resolve(destination.host).catch(() => []);
    if (addresses.length === 0)
      return url.protocol === 'https:' ? null : 'must begin with https://, and its name does not resolve';
    return this.judge(destination, addresses).problem;
  }

  /**
   * For an agent of undici: resolves the name once and connects to what was judged, so that a name that resolves
   * otherwise a moment later (DNS rebinding) leads nowhere.
   */
  readonly connector: buildConnector.connector = (options, callback) => {
    const host = bare(options.hostname);
    const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80);
    this.resolve(host).then(
      (addresses) => {
        const { passed, problem } = this.judge({ protocol: options.protocol, host, port }, addresses);
        const [first] = passed;
        if (first === undefined) {
          callback(new EgressRefused(`${host} ${problem ?? 'has no address'}`), null);
          return;
        }
        buildConnector({
          timeout: CONNECT_MS_MAX,
          lookup: (_name, { all }, give) => {
            if (all === true) give(null, passed);
            else give(null, first.address, first.family);
          },
        })(options, callback);
      },
      (error: Error) => {
        callback(error, null);
      },
    );
  };

  protected resolve(host: string): Promise<LookupAddress[]> {
    return resolveAll(host);
  }

  /** Those of the addresses that may be called, and what is wrong when none may. */
  private judge(
    to: { protocol: string; host: string; port: number },
    addresses: LookupAddress[],
  ): { passed: LookupAddress[]; problem: string | null } {
    const judged = addresses.map((one) => ({
      one,
      problem: egressProblem({ protocol: to.protocol, address: one.address, port: to.port }, this.allowed),
    }));
    const passed = judged.filter(({ problem }) => problem === null).map(({ one }) => one);
    return { passed, problem: passed.length > 0 ? null : (judged[0]?.problem ?? 'has no address') };
  }
}

/** Every address of a name, or the address that it is itself. */
function resolveAll(host: string): Promise<LookupAddress[]> {
  const family = isIP(host);
  if (family !== 0) return Promise.resolve([{ address: host, family }]);
  return new Promise((found, failed) => {
    const timer = setTimeout(() => failed(new Error(`${host} was not resolved in time`)), RESOLVE_MS_MAX);
    lookup(host, { all: true }, (error, addresses) => {
      clearTimeout(timer);
      if (error === null) found(addresses);
      else failed(error);
    });
  });
}

function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}

function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}
