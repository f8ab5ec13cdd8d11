import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MigrationInterface, QueryRunner } from 'typeorm';

type MigrationClass = new () => MigrationInterface;

/**
 * TypeORM migrations made from the SQL files of a folder, in the order of their names
 * (`1764000000001-accounts.sql`). Forward only: there is no way down.
 */
export function sqlMigrations(folder: string): MigrationClass[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => {
      const match = /^(\d{13})-([a-z0-9-]+)\.sql$/.exec(file);
      if (match === null) throw new Error(`${file}: a migration is called <13 digits>-<words>.sql`);
      const [, stamp = '', words = ''] = match;
      const sql = readFileSync(join(folder, file), 'utf8');
      return class implements MigrationInterface {
        readonly name = `${words.replaceAll('-', '_')}${stamp}`;
        async up(runner: QueryRunner): Promise<void> {
          await runner.query(sql);
        }
        async down(): Promise<void> {
          throw new Error('migrations go forward only; restore a backup instead');
        }
      };
    });
}
