import type { AddonService } from '../catalog/catalog.entity.js';
import { attachmentErrors } from './attachments.errors.js';

const NAME = /^[A-Z][A-Z0-9_]{0,127}$/;

/** A name that a user chose, in the form config vars have: upper case, dashes made underscores. */
export function parseAttachmentName(input: string): string {
  const name = input.toUpperCase().replaceAll('-', '_');
  // Upper case makes plain letters of some that are none: ß becomes SS.
  if (!NAME.test(name) || /[^\w-]/.test(input)) throw attachmentErrors.attachment_name_invalid();
  return name;
}

type Naming = Pick<AddonService, 'configVarsPrefix' | 'configVars' | 'defaultAttachment'>;

/**
 * The config vars that an attachment exports: the provider's names with the service's prefix replaced by the
 * attachment's name (`SOUK_POSTGRESQL_URL` attached as `DATABASE` is `DATABASE_URL`).
 */
export function exportedName(
  providerName: string,
  service: Pick<Naming, 'configVarsPrefix'>,
  attachmentName: string,
): string {
  return `${attachmentName}${providerName.slice(service.configVarsPrefix.length)}`;
}

export function exportedNames(service: Naming, attachmentName: string): string[] {
  return service.configVars.map((name) => exportedName(name, service, attachmentName));
}

const COLOURS =
  'AMBER AQUA BLACK BLUE BRONZE BROWN CHARCOAL COBALT COPPER CRIMSON CYAN GOLD GRAY GREEN IVORY JADE MAROON MAUVE NAVY OLIVE ONYX ORANGE PINK PUCE PURPLE RED ROSE SILVER TEAL VIOLET WHITE YELLOW'.split(
    ' ',
  );

/**
 * Default names in the order they are tried: the service's own first name (`DATABASE`, else its prefix), then its
 * prefix with a colour, beginning at a place that `seed` picks so that colours vary, then numbered colours.
 */
export function* defaultNames(service: Naming, seed: number): Generator<string> {
  yield service.defaultAttachment ?? service.configVarsPrefix;
  for (let round = 0; round < 100; round += 1)
    for (let index = 0; index < COLOURS.length; index += 1) {
      const colour = COLOURS[(index + seed) % COLOURS.length] ?? 'COBALT';
      yield `${service.configVarsPrefix}_${colour}${round === 0 ? '' : `_${round + 1}`}`;
    }
}
