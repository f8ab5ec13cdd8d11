import { Injectable } from '@nestjs/common';
import type { Pool } from 'pg';
import { DataSource, type EntityManager } from 'typeorm';

import { CrashPoints } from '../crash-points.js';

const RETRIES_MAX = 5;
/** Serialisation failure and deadlock: the only errors after which the whole transaction may simply run again. */
const RETRYABLE = new Set(['40001', '40P01']);

/** A transaction. Repositories take one as their first argument, so that a forgotten one is a type error. */
export type Tx = EntityManager;

/** Transactions with a name, retried when PostgreSQL asks for it, and with a crash point on each side of the commit. */
@Injectable()
export class Database {
  constructor(
    readonly source: DataSource,
    private readonly crashPoints: CrashPoints,
  ) {}

  /** For reads that need no snapshot across statements. */
  get manager(): Tx {
    return this.source.manager;
  }

  /**
   * One read on a hot path, outside any transaction: prepared once for each connection, so that PostgreSQL neither
   * parses nor plans it again. `name` stands for exactly this `text`.
   */
  async read<Row extends object>(name: string, text: string, values: unknown[]): Promise<Row[]> {
    const { rows } = await poolOf(this.source).query<Row>({ name, text, values });
    return rows;
  }

  async transaction<T>(name: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.repeated(() => this.once(name, work, () => true));
  }

  /** The same for work that comes again and again and counts what it did: a round of nothing has no crash points. */
  async round(name: string, work: (tx: Tx) => Promise<number>): Promise<number> {
    return this.repeated(() => this.once(name, work, (count) => count > 0));
  }

  private async repeated<T>(run: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await run();
      } catch (error) {
        if (attempt >= RETRIES_MAX || !RETRYABLE.has(sqlState(error) ?? '')) throw error;
      }
    }
  }

  private async once<T>(
    name: string,
    work: (tx: Tx) => Promise<T>,
    counts: (result: T) => boolean,
  ): Promise<T> {
    const result = await this.source.transaction(async (tx) => {
      const value = await work(tx);
      if (counts(value)) this.crashPoints.reach(`${name}.before_commit`);
      return value;
    });
    if (counts(result)) this.crashPoints.reach(`${name}.after_commit`);
    return result;
  }
}

/** The pool that TypeORM itself uses. */
function poolOf(source: DataSource): Pool {
  return (source.driver as unknown as { master: Pool }).master;
}

/** The SQLSTATE of a database error, or null for anything else. */
export function sqlState(error: unknown): string | null {
  return driverField(error, 'code');
}

/**
 * For `.catch(…)`: turns the violation of one named constraint or unique index into the given error, and
 * rethrows everything else.
 */
export function onConstraint(name: string, toError: (details: { cause: unknown }) => Error) {
  return (error: unknown): never => {
    if (driverField(error, 'constraint') === name) throw toError({ cause: error });
    throw error;
  };
}

function driverField(error: unknown, field: 'code' | 'constraint'): string | null {
  if (typeof error !== 'object' || error === null) return null;
  const inner: unknown = 'driverError' in error ? error.driverError : error;
  if (typeof inner !== 'object' || inner === null || !(field in inner)) return null;
  const value = (inner as Record<string, unknown>)[field];
  return typeof value === 'string' ? value : null;
}
