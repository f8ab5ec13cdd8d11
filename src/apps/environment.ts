import type { ReleaseChanges } from './app.entity.js';
import { appErrors } from './apps.errors.js';

/** The config vars of one release: the app's own and those of its add-ons, kept apart so that a rollback can tell them. */
export interface Environment {
  own: Record<string, string>;
  addons: Record<string, string>;
}

export const EMPTY_ENVIRONMENT: Environment = { own: {}, addons: {} };

/** What Heroku allows an app's config vars to take together. */
export const CONFIG_BYTES_MAX = 64 * 1024;

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const NAME_LENGTH_MAX = 255;

/** What the app sees. Names of add-ons are reserved; one that a provider began to use later takes nothing away. */
export function flatten(environment: Environment): Record<string, string> {
  return { ...environment.addons, ...environment.own };
}

/** A checked change of own config vars: a text sets, null unsets. Throws on names and values that cannot be. */
export function parseConfigChange(input: Record<string, unknown>): Map<string, string | null> {
  const change = new Map<string, string | null>();
  for (const [name, value] of Object.entries(input)) {
    if (!NAME.test(name) || name.length > NAME_LENGTH_MAX)
      throw appErrors.config_name_invalid({
        message: `${JSON.stringify(name.slice(0, 60))} cannot be a config var name: use letters, digits and underscores, not beginning with a digit, at most ${NAME_LENGTH_MAX}.`,
      });
    if (value !== null && (typeof value !== 'string' || value.includes('\0')))
      throw appErrors.config_value_invalid({
        message: `The value of ${name} must be text without zero bytes, or null.`,
      });
    change.set(name, value);
  }
  return change;
}

/** The environment after a change of own vars, with the names that really changed. Throws when it grows too large. */
export function applyOwnChange(
  before: Environment,
  change: Map<string, string | null>,
): { after: Environment; changes: ReleaseChanges } {
  const own = { ...before.own };
  const changes: ReleaseChanges = { set: [], unset: [] };
  for (const [name, value] of change) {
    if (value === null) {
      if (!Object.hasOwn(own, name)) continue;
      delete own[name];
      changes.unset.push(name);
    } else if (!Object.hasOwn(own, name) || own[name] !== value) {
      own[name] = value;
      changes.set.push(name);
    }
  }
  const after = { ...before, own };
  assertFits(after);
  return { after, changes };
}

/** The environment with other add-on values, and the names that really changed. */
export function replaceAddonVars(
  before: Environment,
  addons: Record<string, string>,
): { after: Environment; changes: ReleaseChanges } {
  return {
    after: { ...before, addons },
    changes: {
      set: Object.keys(addons).filter((name) => before.addons[name] !== addons[name]),
      unset: Object.keys(before.addons).filter((name) => !Object.hasOwn(addons, name)),
    },
  };
}

/** `Set FOO, BAR config vars`, in Heroku's words. */
export function describeOwnChange(changes: ReleaseChanges): string {
  const parts = [
    changes.set.length > 0 ? `Set ${changes.set.join(', ')}` : '',
    changes.unset.length > 0
      ? `${changes.set.length > 0 ? 'remove' : 'Remove'} ${changes.unset.join(', ')}`
      : '',
  ].filter((part) => part !== '');
  const count = changes.set.length + changes.unset.length;
  return shorten(`${parts.join(' and ')} config var${count === 1 ? '' : 's'}`);
}

function shorten(text: string): string {
  return text.length <= 300 ? text : `${text.slice(0, 297)}...`;
}

function assertFits(environment: Environment): void {
  const bytes = Object.entries(flatten(environment)).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value),
    0,
  );
  if (bytes > CONFIG_BYTES_MAX)
    throw appErrors.config_too_large({
      message: `With this change the app's config vars would take ${bytes} bytes; ${CONFIG_BYTES_MAX} (64 KiB) is the most. Keep large values in a file or a store.`,
    });
}
