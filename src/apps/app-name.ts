import { randomInt } from 'node:crypto';
import { appErrors } from './apps.errors.js';

const NAME = /^[a-z][a-z0-9-]{1,28}[a-z0-9]$/;

/** A name that a user chose, checked. */
export function parseAppName(name: string): string {
  if (!NAME.test(name)) throw appErrors.app_name_invalid();
  return name;
}

const ADJECTIVES =
  'amber ancient autumn blooming bold breezy bright calm candid cedar clear copper coral crisp damp dawn desert dry dusty early evening fair fresh frosty gentle golden green hidden honest humble indigo ivory jade keen lively lucid lunar mellow misty morning mossy noble olive open patient plain polar quiet rapid rosy royal rustic saffron sandy serene shady silent silver snowy solar spring steady still summer sunny swift tidy velvet vivid warm wild winter'.split(
    ' ',
  );
const NOUNS =
  'arch basin bay beach bird brook canyon cedar cliff cloud coast cove creek delta desert dew dune field fig fjord forest garden glade gorge grove harbor haze hill island lagoon lake lantern leaf marsh meadow mesa moon mountain oasis oak orchard palm path peak pine plain pond prairie rain reef ridge river sea shore sky snow spring star stone stream summit sun surf tide trail tree tundra valley village vine water wave wind wood'.split(
    ' ',
  );

function pick(words: readonly string[]): string {
  return words[randomInt(words.length)] ?? 'souk';
}

/** A name nobody chose, such as `quiet-harbor-48213`. */
export function generatedAppName(): string {
  return `${pick(ADJECTIVES)}-${pick(NOUNS)}-${randomInt(10_000, 100_000)}`;
}

/** The tail of an add-on's generated name, such as `curved-48213`. */
export function generatedSuffix(): string {
  return `${pick(ADJECTIVES)}-${randomInt(10_000, 100_000)}`;
}
