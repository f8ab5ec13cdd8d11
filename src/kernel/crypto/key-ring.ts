import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { defineErrors } from '../errors.js';
import { DamagedFile, makeFile, readTextFile, replaceFile } from '../whole-file.js';

/** An encrypted value as it lies in a row: nonce, tag and ciphertext in one buffer, and the key's id beside it. */
export interface Sealed {
  ciphertext: Buffer;
  keyId: string;
}

export const keyErrors = defineErrors({
  key_unknown: {
    status: 500,
    message: 'A stored secret was encrypted with a key that is not in the key ring; add the old key back.',
  },
  keys_from_environment: {
    status: 422,
    message:
      'The key ring comes from SOUK_MASTER_KEY: put a new key in front of it, restart, and run "souk keys rotate --resume".',
  },
});

interface Key {
  id: string;
  bytes: Buffer;
}

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * AES-256-GCM under a ring of keys. The first key encrypts; all of them decrypt. Each value is bound to its place
 * (`context`, e.g. table and row id), so a ciphertext moved to another row does not open.
 */
export class KeyRing {
  private keys: Key[];
  private readMtimeMs = 0;

  private constructor(
    keys: Key[],
    private readonly file: string | null,
  ) {
    this.keys = keys;
  }

  /** From `SOUK_MASTER_KEY`: a comma list of `id:base64`, the current key first; a lone base64 key is called k1. */
  static fromText(text: string): KeyRing {
    const keys = parseKeys(text);
    if (typeof keys === 'string') throw new Error(`SOUK_MASTER_KEY: ${keys}`);
    return new KeyRing(keys, null);
  }

  /** What is wrong with such a text, in words; null when it is a key ring. */
  static problemIn(text: string): string | null {
    const keys = parseKeys(text);
    return typeof keys === 'string' ? keys : null;
  }

  /**
   * From a file of the same form (0600), made with one fresh key when absent; of several processes that find none,
   * all use the key of the first. Changes by others are picked up.
   */
  static fromFile(file: string): KeyRing {
    if (readTextFile(file) === null) makeFile(file, textOf([freshKey([])]));
    const ring = new KeyRing([], file);
    ring.reload();
    return ring;
  }

  /** The id of the key that encrypts now. */
  get currentId(): string {
    this.reloadWhenChanged();
    return this.current().id;
  }

  seal(plaintext: string, context: string): Sealed {
    this.reloadWhenChanged();
    const key = this.current();
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key.bytes, nonce);
    cipher.setAAD(Buffer.from(context));
    const body = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
    return { ciphertext: Buffer.concat([nonce, cipher.getAuthTag(), body]), keyId: key.id };
  }

  open(sealed: Sealed, context: string): string {
    const key = this.find(sealed.keyId);
    const nonce = sealed.ciphertext.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', key.bytes, nonce);
    decipher.setAAD(Buffer.from(context));
    decipher.setAuthTag(sealed.ciphertext.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const body = sealed.ciphertext.subarray(NONCE_BYTES + TAG_BYTES);
    return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
  }

  /** Puts a fresh key in front of a file's ring. The old ones stay, since rows may still need them. */
  addKey(): string {
    if (this.file === null) throw keyErrors.keys_from_environment();
    this.reload();
    const key = freshKey(this.keys.map(({ id }) => id));
    this.keys = [key, ...this.keys];
    replaceFile(this.file, textOf(this.keys));
    this.reload();
    return key.id;
  }

  private current(): Key {
    const [key] = this.keys;
    if (key === undefined) throw new Error('the key ring is empty');
    return key;
  }

  private find(id: string): Key {
    const known = this.keys.find((key) => key.id === id);
    if (known !== undefined) return known;
    if (this.file !== null) this.reload();
    const reloaded = this.keys.find((key) => key.id === id);
    if (reloaded === undefined) throw keyErrors.key_unknown({ internal: `key ${id}` });
    return reloaded;
  }

  /** Another process may have rotated the file; a stat is cheap next to a cipher. */
  private reloadWhenChanged(): void {
    if (this.file !== null && statSync(this.file).mtimeMs !== this.readMtimeMs) this.reload();
  }

  private reload(): void {
    if (this.file === null) return;
    this.readMtimeMs = statSync(this.file).mtimeMs;
    const keys = parseKeys(readTextFile(this.file) ?? '');
    if (typeof keys === 'string')
      throw new DamagedFile(
        this.file,
        keys,
        'Restore it from a backup: without its keys no stored secret can be read.',
      );
    this.keys = keys;
  }
}

/** The keys, or what is wrong with the text. */
function parseKeys(text: string): Key[] | string {
  const parts = text
    .split(/[,\n]/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const keys = parts.map((part) => {
    const colon = part.indexOf(':');
    const id = colon < 0 ? 'k1' : part.slice(0, colon);
    return { id, bytes: Buffer.from(colon < 0 ? part : part.slice(colon + 1), 'base64') };
  });
  const short = keys.find(({ bytes }) => bytes.length !== KEY_BYTES);
  if (short !== undefined)
    return `key ${short.id} must be ${KEY_BYTES} bytes in base64 (openssl rand -base64 ${KEY_BYTES})`;
  if (keys.length === 0) return 'there is no key in it';
  if (new Set(keys.map(({ id }) => id)).size !== keys.length) return 'two keys have the same id';
  return keys;
}

function freshKey(taken: string[]): Key {
  const highest = taken.reduce((max, id) => Math.max(max, Number(/^k(\d+)$/.exec(id)?.[1] ?? 0)), 0);
  return { id: `k${highest + 1}`, bytes: randomBytes(KEY_BYTES) };
}

function textOf(keys: Key[]): string {
  return `${keys.map((key) => `${key.id}:${key.bytes.toString('base64')}`).join('\n')}\n`;
}
