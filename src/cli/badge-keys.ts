import { type KeyObject } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { newSigningKey, publicPem, readSigningKey, readTrustedKey } from '../conformance/badge.js';
import { ConformanceError } from '../conformance/verdict.js';
import { makeFile, readTextFile } from '../kernel/whole-file.js';

/** The private key that a person gave; null when none was. */
export function givenKey(file: string | undefined): KeyObject | null {
  return file === undefined ? null : readSigningKey(readFileSync(file, 'utf8'), file);
}

/** The key of this Souk's folder, made at the first use; its public half lies beside it for those who verify. */
export function ownSigningKey(env: NodeJS.ProcessEnv, cwd: string): KeyObject {
  const { folder, privateFile, publicFile } = filesOf(env, cwd);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Of several processes the first makes it, and all use what is there then.
  if (readTextFile(privateFile) === null) makeFile(privateFile, newSigningKey());
  const key = readSigningKey(readTextFile(privateFile) ?? '', privateFile);
  writeFileSync(publicFile, publicPem(key), { mode: 0o644 });
  return key;
}

/** The public key that badges are checked with: the one given, else that of this Souk's folder. */
export function trustedKey(env: NodeJS.ProcessEnv, cwd: string, given: string | undefined): KeyObject {
  if (given !== undefined) return readTrustedKey(readFileSync(given, 'utf8'), given);
  const { privateFile, publicFile } = filesOf(env, cwd);
  const pem = readTextFile(publicFile) ?? readTextFile(privateFile);
  if (pem === null)
    throw new ConformanceError(
      `There is no key to check with: ${publicFile} is not there. Give the signer's public key with --key.`,
    );
  return readTrustedKey(pem, publicFile);
}

function filesOf(
  env: NodeJS.ProcessEnv,
  cwd: string,
): { folder: string; privateFile: string; publicFile: string } {
  const folder = resolve(env.SOUK_HOME ?? `${cwd}/.souk`);
  return {
    folder,
    privateFile: join(folder, 'conformance-key.pem'),
    publicFile: join(folder, 'conformance-key.pub.pem'),
  };
}
