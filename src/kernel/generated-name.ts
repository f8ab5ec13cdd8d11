import { SoukError } from './errors.js';

const TRIES = 5;

/**
 * Does `work` under a name nobody chose. Where somebody has that name already (`work` fails with `takenId`), it is
 * done again under another, so that chance is never the caller's error. `work` must change nothing when it fails.
 */
export async function underGeneratedName<T>(
  generate: () => string,
  takenId: string,
  work: (name: string) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work(generate());
    } catch (error) {
      if (tries >= TRIES || !(error instanceof SoukError) || error.id !== takenId) throw error;
    }
  }
}
