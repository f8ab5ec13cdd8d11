import { BlockList, isIP, isIPv6 } from 'node:net';

/** An address that the guard lets through although it is private: one of `SOUK_EGRESS_ALLOW`. */
export interface EgressRule {
  address: string;
  /** null: every port. */
  port: number | null;
}

/** Where an outgoing call wants to go, once its name is resolved. */
export interface Destination {
  protocol: string;
  address: string;
  port: number;
}

/** Networks that are not the internet (IANA's special-purpose registries): a call there would reach the inside. */
const PRIVATE_V4: [string, number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];
/** Of IPv6 only 2000::/3 is the internet, less what embeds other addresses or is for documents. */
const PRIVATE_V6: [string, number][] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const privateNetworks = new BlockList();
for (const [network, bits] of PRIVATE_V4) privateNetworks.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of PRIVATE_V6) privateNetworks.addSubnet(network, bits, 'ipv6');
const internetV6 = new BlockList();
internetV6.addSubnet('2000::', 3, 'ipv6');

/** Reads one entry of `SOUK_EGRESS_ALLOW`, `address[:port]`; null when it is none. `localhost` is both loopbacks. */
export function parseEgressEntry(entry: string): EgressRule[] | null {
  const [, bracketed, plain, portText] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(entry) ?? [];
  const address = bracketed ?? plain ?? (isIPv6(entry) ? entry : '');
  const port = portText === undefined ? null : Number(portText);
  if (port !== null && (port < 1 || port > 65_535)) return null;
  if (address === 'localhost') return ['127.0.0.1', '::1'].map((one) => ({ address: one, port }));
  return isIP(address) === 0 ? null : [{ address: plainAddress(address), port }];
}

/** Why a call may not go there, in words that follow the name of what was asked; null when it may. */
export function egressProblem(to: Destination, allowed: readonly EgressRule[]): string | null {
  const address = plainAddress(to.address);
  const isAllowed = allowed.some(
    (rule) => rule.address === address && (rule.port === null || rule.port === to.port),
  );
  if (isPrivate(address) && !isAllowed)
    return `leads to the private address ${address}; give one that is reachable from the internet, or let the operator add ${entryFor(address, to.port)} to SOUK_EGRESS_ALLOW`;
  if (to.protocol === 'https:' || (to.protocol === 'http:' && isLoopback(address))) return null;
  return 'must begin with https://; plain http goes to a loopback address in SOUK_EGRESS_ALLOW only';
}

/** Whether an address (in its plain form) is not one of the internet. */
export function isPrivate(address: string): boolean {
  if (!isIPv6(address)) return privateNetworks.check(address, 'ipv4');
  return !internetV6.check(address, 'ipv6') || privateNetworks.check(address, 'ipv6');
}

function isLoopback(address: string): boolean {
  return address === '::1' || (!isIPv6(address) && address.startsWith('127.'));
}

/** One spelling for each address; an IPv4 address that is dressed as IPv6 is undressed. */
export function plainAddress(address: string): string {
  if (!isIPv6(address)) return address;
  const bare = address.replace(/%.*$/, '');
  const short = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short) ?? [];
  if (high === undefined || low === undefined) return short;
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [a >> 8, a & 255, b >> 8, b & 255].join('.');
}

function entryFor(address: string, port: number): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}
