import type { Database } from './database.js';

const HEALTH_MS = 2_000;

/** True when the database and the kit's schema in it answer, and do so soon. */
export async function answersSoon(database: Database): Promise<boolean> {
  const answer = database.query('SELECT 1 FROM kit.migrations LIMIT 1').then(
    () => true,
    () => false,
  );
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), HEALTH_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
