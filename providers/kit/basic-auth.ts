import { isSame } from './constant-time.js';

/** True when the header carries exactly these Basic credentials; takes the same time whatever is wrong. */
export function isBasicAuth(header: string | undefined, user: string, password: string): boolean {
  const [scheme = '', encoded = ''] = (header ?? '').split(' ');
  const same = isSame(Buffer.from(encoded, 'base64'), `${user}:${password}`);
  return scheme.toLowerCase() === 'basic' && same;
}
