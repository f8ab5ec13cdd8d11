import { createHash, timingSafeEqual } from 'node:crypto';

/** True when the header carries exactly these Basic credentials; takes the same time whatever is wrong. */
export function isBasicAuth(header: string | undefined, user: string, password: string): boolean {
  const [scheme = '', encoded = ''] = (header ?? '').split(' ');
  const given = Buffer.from(encoded, 'base64');
  // Digests have one length, so the comparison tells nothing about the length of the password.
  const same = timingSafeEqual(digest(given), digest(Buffer.from(`${user}:${password}`)));
  return scheme.toLowerCase() === 'basic' && same;
}

function digest(value: Buffer): Buffer {
  return createHash('sha256').update(value).digest();
}
