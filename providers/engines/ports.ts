import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';

/** Below every system's range for outgoing connections, so that nothing takes a kept port by chance. */
const LOWEST = 20_000;
const HIGHEST = 31_000;

/** 127.0.0.1, and ::1 where the machine has it: a client may resolve "localhost" to either. */
export function loopbackAddresses(): string[] {
  const six = Object.values(networkInterfaces()).some((list) =>
    list?.some(({ address }) => address === '::1'),
  );
  return six ? ['127.0.0.1', '::1'] : ['127.0.0.1'];
}

/** Why nobody could listen there now (EADDRINUSE, EADDRNOTAVAIL, …), as the system says it; null when one could. */
export function whyNoListening(port: number, host: string): Promise<Error | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(null)));
  });
}

/** True when the port is free on every loopback address. */
export async function isPortFree(port: number): Promise<boolean> {
  for (const host of loopbackAddresses()) {
    if ((await whyNoListening(port, host)) !== null) return false;
  }
  return true;
}

/** A port that is free now on every loopback address. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = randomInt(LOWEST, HIGHEST);
    if (await isPortFree(port)) return port;
  }
  throw new Error(`No free port was found between ${LOWEST} and ${HIGHEST}.`);
}
