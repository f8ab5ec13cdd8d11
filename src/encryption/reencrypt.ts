import { Injectable } from '@nestjs/common';
import { configContext, optionsContext } from '../addons/addon.repository.js';
import { contextOf } from '../apps/release.repository.js';
import { clientSecretContext, providerContext } from '../catalog/catalog.repository.js';
import { manifestContext } from '../catalog/manifest.repository.js';
import { actionParamsContext, actionResultContext } from '../provisioning/actions/action-run.repository.js';
import { KeyRing } from '../kernel/crypto/key-ring.js';
import { Database, type Tx } from '../kernel/db/database.js';

const BATCH_ROWS = 500;

/** One encrypted column: how its rows are found, and what each ciphertext is bound to. */
interface SecretColumn {
  table: string;
  ciphertext: string;
  keyId: string;
  /** The columns that identify a row, in the order that `context` takes them. */
  key: string[];
  context: (...key: string[]) => string;
}

const COLUMNS: SecretColumn[] = [
  {
    table: 'release_environments',
    ciphertext: 'ciphertext',
    keyId: 'key_id',
    key: ['app_id', 'version'],
    context: (appId = '', version = '') => contextOf(appId, Number(version)),
  },
  {
    table: 'providers',
    ciphertext: 'secrets_ciphertext',
    keyId: 'secrets_key_id',
    key: ['id'],
    context: (id = '') => providerContext(id),
  },
  {
    table: 'providers',
    ciphertext: 'client_secret_ciphertext',
    keyId: 'client_secret_key_id',
    key: ['id'],
    context: (id = '') => clientSecretContext(id),
  },
  {
    table: 'manifest_revisions',
    ciphertext: 'contents_ciphertext',
    keyId: 'contents_key_id',
    key: ['id'],
    context: (id = '') => manifestContext(id),
  },
  {
    table: 'addons',
    ciphertext: 'options_ciphertext',
    keyId: 'options_key_id',
    key: ['id'],
    context: (id = '') => optionsContext(id),
  },
  {
    table: 'addons',
    ciphertext: 'config_ciphertext',
    keyId: 'config_key_id',
    key: ['id'],
    context: (id = '') => configContext(id),
  },
  {
    table: 'action_runs',
    ciphertext: 'params_ciphertext',
    keyId: 'params_key_id',
    key: ['operation_id'],
    context: (id = '') => actionParamsContext(id),
  },
  {
    table: 'action_runs',
    ciphertext: 'result_ciphertext',
    keyId: 'result_key_id',
    key: ['operation_id'],
    context: (id = '') => actionResultContext(id),
  },
];

/** Every column of the schema that holds ciphertext, for the test that compares this list with the tables. */
export const SECRET_COLUMNS: readonly { table: string; ciphertext: string; keyId: string }[] = COLUMNS;

/** Moves stored secrets under the current key, a bounded number of rows at a time. May be stopped and gone on with. */
@Injectable()
export class Reencrypt {
  constructor(
    private readonly db: Database,
    private readonly keys: KeyRing,
  ) {}

  /** How many rows this call moved, and how many are left under other keys. */
  async batch(): Promise<{ moved: number; left: number; keyId: string }> {
    const keyId = this.keys.currentId;
    let moved = 0;
    for (const column of COLUMNS)
      if (moved < BATCH_ROWS) moved += await this.moveSome(column, keyId, BATCH_ROWS - moved);
    let left = 0;
    for (const column of COLUMNS) left += await this.countLeft(column, keyId);
    return { moved, left, keyId };
  }

  private moveSome(column: SecretColumn, keyId: string, max: number): Promise<number> {
    const { table, ciphertext, keyId: keyColumn, key } = column;
    const where = key.map((name, index) => `${name}::text = $${index + 3}`).join(' AND ');
    return this.db.transaction('keys.reencrypt', async (tx: Tx) => {
      const rows: { ciphertext: Buffer; key_id: string; key: string[] }[] = await tx.query(
        `SELECT ${ciphertext} AS ciphertext, ${keyColumn} AS key_id, ARRAY[${key.map((name) => `${name}::text`).join(', ')}] AS key
         FROM ${table} WHERE ${keyColumn} <> $1 ORDER BY ${key.join(', ')} LIMIT $2 FOR UPDATE`,
        [keyId, max],
      );
      for (const row of rows) {
        const context = column.context(...row.key);
        const sealed = this.keys.seal(
          this.keys.open({ ciphertext: row.ciphertext, keyId: row.key_id }, context),
          context,
        );
        await tx.query(`UPDATE ${table} SET ${ciphertext} = $1, ${keyColumn} = $2 WHERE ${where}`, [
          sealed.ciphertext,
          sealed.keyId,
          ...row.key,
        ]);
      }
      return rows.length;
    });
  }

  private async countLeft(column: SecretColumn, keyId: string): Promise<number> {
    const [row]: { count: number }[] = await this.db.manager.query(
      `SELECT count(*)::int AS count FROM ${column.table} WHERE ${column.keyId} <> $1`,
      [keyId],
    );
    return row?.count ?? 0;
  }
}
