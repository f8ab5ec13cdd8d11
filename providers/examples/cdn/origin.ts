/** Where origins may be, unless the operator says otherwise: this sample is for one machine. */
const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

/** `CDN_ORIGINS`: hosts joined by commas, or `*` for any. */
export function readOriginHosts(value: string | undefined): string[] | '*' {
  if (value === undefined || value.trim() === '') return LOOPBACK;
  if (value.trim() === '*') return '*';
  return value.split(',').map((one) => one.trim().toLowerCase());
}

/** The origin in what a customer gave; null, and a 422, for what is no origin or none that may be asked. */
export function parseOrigin(value: unknown, hosts: string[] | '*'): string | null {
  if (typeof value !== 'string' || !URL.canParse(value)) return null;
  const { protocol, hostname, origin, pathname, search, username, password } = new URL(value);
  if (!['http:', 'https:'].includes(protocol) || username !== '' || password !== '') return null;
  if (pathname !== '/' || search !== '') return null;
  return hosts === '*' || hosts.includes(hostname) ? origin : null;
}
