import { createHmac } from 'node:crypto';
import { isSame } from './constant-time.js';

/** The header that carries the signature, as Node spells it. */
export const WEBHOOK_SIGNATURE_HEADER = 'heroku-webhook-hmac-sha256';

/** The signature of a webhook: base64 of the HMAC of the body's very bytes. */
export function webhookSignature(body: Buffer, secret: string): string {
  return createHmac('sha256', secret).update(body).digest('base64');
}

/** True when the platform, which alone knows the secret, signed exactly these bytes. */
export function isWebhookSigned(body: Buffer, signature: string | undefined, secret: string): boolean {
  const same = isSame(signature ?? '', webhookSignature(body, secret));
  return signature !== undefined && same;
}
