import { isId } from '../kernel/ids.js';
import { addonErrors } from './addons.errors.js';

const NAME = /^[a-zA-Z][A-Za-z0-9_-]{1,127}$/;

/** A name that a user chose, checked against the pattern that providers are promised (partner contract, part b). */
export function parseAddonName(name: string): string {
  // Wherever a name is taken so is an id, and one that looks like an id would never be found.
  if (!NAME.test(name) || isId(name)) throw addonErrors.addon_name_invalid();
  return name;
}

/** A name nobody chose: `postgresql-quiet-48213` for souk-postgresql and the suffix `quiet-48213`. */
export function addonNameOf(service: string, suffix: string): string {
  return `${service.replace(/^(souk|heroku)-/, '')}-${suffix}`;
}

const OPTIONS_MAX = 50;
const OPTION_LENGTH_MAX = 4_096;

/** Options as providers get them: every value a text; the CLI sends a bare flag as true. */
export function parseOptions(input: Record<string, unknown>): Record<string, string> {
  const entries = Object.entries(input).map(([name, value]): [string, string] => {
    if (!['string', 'number', 'boolean'].includes(typeof value))
      throw addonErrors.options_invalid({
        message: `The option ${name.slice(0, 60)} must be a text, a number or a flag.`,
      });
    const text = String(value);
    if (name.length > 255 || text.length > OPTION_LENGTH_MAX || text.includes('\0'))
      throw addonErrors.options_invalid({
        message: `The option ${name.slice(0, 60)} is too long or holds a zero byte.`,
      });
    return [name, text];
  });
  if (entries.length > OPTIONS_MAX)
    throw addonErrors.options_invalid({ message: `At most ${OPTIONS_MAX} options.` });
  return Object.fromEntries(entries);
}

const MESSAGE_LENGTH_MAX = 500;

/** A provider's text made harmless for terminals and pages: no control characters, no markup, bounded. Empty gives null. */
export function neutralise(text: unknown): string | null {
  if (typeof text !== 'string') return null;
  const plain = text
    .replace(/<[^>]*>/g, ' ')
    // C0 and C1 controls (escape sequences among them), and characters that reorder text.
    .replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return plain === '' ? null : plain.slice(0, MESSAGE_LENGTH_MAX);
}
