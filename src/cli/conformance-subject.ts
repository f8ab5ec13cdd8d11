import { readFileSync } from 'node:fs';
import { DEFAULT_REGION, findRegion } from '../apps/regions.js';
import { LOG_REQUIREMENTS, parseManifest } from '../catalog/manifest.js';
import { isObject } from '../conformance/exchange.js';
import { readProviderFacts, type AddressOptions, type ProviderFacts } from '../conformance/provider-facts.js';
import { ConformanceError } from '../conformance/verdict.js';
import { SoukError } from '../kernel/errors.js';

/** A provider that is to be tested, as its manifest tells of it. */
export interface Subject {
  facts: ProviderFacts;
  cloudRegion: string;
  /** What the catalogue would refuse the manifest for. */
  problems: string[];
  file: Buffer;
}

export function readSubject(manifestFile: string, options: AddressOptions): Subject {
  const file = readManifestFile(manifestFile);
  const manifest = parse(file, manifestFile);
  const facts = readProviderFacts(manifest, options);
  const region = findRegion(facts.region) ?? findRegion(DEFAULT_REGION);
  return { facts, cloudRegion: region?.cloudName ?? facts.region, problems: problemsOf(manifest), file };
}

/**
 * The catalogue's own check, so that what passes here is what a Souk takes. That this Souk routes no logs is no fault of
 * a manifest that asks for them.
 */
export function problemsOf(manifest: unknown): string[] {
  try {
    parseManifest(withoutLogs(manifest));
    return [];
  } catch (error) {
    if (!(error instanceof SoukError)) throw error;
    return [error.message];
  }
}

function withoutLogs(manifest: unknown): unknown {
  if (!isObject(manifest) || !isObject(manifest.api) || !Array.isArray(manifest.api.requires))
    return manifest;
  const requires = manifest.api.requires.filter((one) => !LOG_REQUIREMENTS.includes(one as string));
  return { ...manifest, api: { ...manifest.api, requires } };
}

function readManifestFile(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new ConformanceError(
      `The manifest ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
}

function parse(file: Buffer, name: string): unknown {
  try {
    return JSON.parse(file.toString('utf8'));
  } catch (error) {
    throw new ConformanceError(
      `${name} is no JSON: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
}
