import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { isObject } from './exchange.js';
import { ConformanceError, countVerdicts, isClean, type ConformanceReport } from './verdict.js';

/** What a badge says. */
export interface BadgeFacts {
  format: 'souk-conformance-1';
  service: string;
  /** SHA-256 of the manifest file that was tested, in hex. */
  manifest_sha256: string;
  tested_at: string;
  /** `partial`: nothing failed, but not every rule was asked for. */
  result: 'passed' | 'failed' | 'partial';
  rules: { id: string; verdict: string }[];
  counts: { pass: number; fail: number; skip: number };
}

export interface Badge {
  facts: BadgeFacts;
  /** Of the signer, as PEM. It says who claims to have signed; trust comes from a key that the reader has already. */
  public_key: string;
  /** Ed25519 over the canonical JSON of `facts`, in base64. */
  signature: string;
}

/** The result of a run, to be signed. */
export function badgeFacts(report: ConformanceReport, manifestFile: Buffer): BadgeFacts {
  return {
    format: 'souk-conformance-1',
    service: report.service,
    manifest_sha256: createHash('sha256').update(manifestFile).digest('hex'),
    tested_at: report.startedAt.toISOString(),
    result: isClean(report) ? (report.complete ? 'passed' : 'partial') : 'failed',
    rules: report.results.map(({ id, verdict }) => ({ id, verdict })),
    counts: countVerdicts(report.results),
  };
}

export function signBadge(facts: BadgeFacts, key: KeyObject): Badge {
  return {
    facts,
    public_key: publicPem(key),
    signature: sign(null, Buffer.from(canonicalJson(facts)), key).toString('base64'),
  };
}

/** The facts of a badge that the holder of this key signed. Throws `ConformanceError` for anything else. */
export function verifyBadge(text: string, trusted: KeyObject): BadgeFacts {
  const badge = parseBadge(text);
  if (badge.public_key.trim() !== publicPem(trusted).trim())
    throw new ConformanceError(
      'The badge names another key than the one that you trust. If you know whose key it is, give their public key with --key.',
    );
  if (!verify(null, Buffer.from(canonicalJson(badge.facts)), trusted, Buffer.from(badge.signature, 'base64')))
    throw new ConformanceError('The signature does not fit: the badge was changed, or forged.');
  return badge.facts;
}

function parseBadge(text: string): Badge {
  let badge: unknown;
  try {
    badge = JSON.parse(text);
  } catch (error) {
    throw new ConformanceError(
      `The file is no badge: ${error instanceof Error ? error.message : 'no JSON'}.`,
    );
  }
  const { facts, public_key, signature } = isObject(badge) ? badge : {};
  if (
    !isObject(facts) ||
    facts.format !== 'souk-conformance-1' ||
    typeof public_key !== 'string' ||
    typeof signature !== 'string'
  )
    throw new ConformanceError(
      'The file is no badge: facts of format souk-conformance-1, a public_key and a signature belong in it.',
    );
  return { facts: facts as unknown as BadgeFacts, public_key, signature };
}

/** One text for one value, whatever order its fields stand in: objects by sorted names, no white space. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const fields = Object.keys(value).sort();
  return `{${fields.map((field) => `${JSON.stringify(field)}:${canonicalJson(value[field])}`).join(',')}}`;
}

/** A fresh Ed25519 key pair, as PEM. */
export function newSigningKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** Reads a private key; `name` is what a person calls it. */
export function readSigningKey(pem: string, name: string): KeyObject {
  return ofEd25519(() => createPrivateKey(pem), name);
}

/** Reads a public key, or the public half of a private one. */
export function readTrustedKey(pem: string, name: string): KeyObject {
  return ofEd25519(() => createPublicKey(pem), name);
}

export function publicPem(key: KeyObject): string {
  const half = key.type === 'private' ? createPublicKey(key) : key;
  return half.export({ type: 'spki', format: 'pem' }).toString();
}

function ofEd25519(read: () => KeyObject, name: string): KeyObject {
  let key: KeyObject;
  try {
    key = read();
  } catch (error) {
    throw new ConformanceError(
      `${name} holds no key in PEM form (${error instanceof Error ? error.message : String(error)}).`,
    );
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw new ConformanceError(`${name} must be an Ed25519 key, not ${key.asymmetricKeyType}.`);
  return key;
}
