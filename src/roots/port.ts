import { freePort } from '../../providers/engines/index.js';

/** 0 asks for any free port; the public URL and the providers need to know it before the server listens. */
export async function settlePort(port: number): Promise<number> {
  return port === 0 ? freePort() : port;
}
