import type { ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import { sqlState } from './db/database.js';
import { kernelErrors } from './errors.js';

/** One page of a list as the Platform API's `Range` header asks for it. */
export interface Range<F extends string> {
  field: F;
  /** Where the page begins: at this value, or just after it when `exclusive`. */
  start: string | null;
  exclusive: boolean;
  order: 'asc' | 'desc';
  max: number;
}

export interface Page<T> {
  items: T[];
  /** The `Range` value of the next page; null on the last one. */
  next: string | null;
}

/** SQLSTATEs of a text that is no value of a column's type, or too large for it. */
const NOT_A_VALUE = new Set(['22P02', '22003']);

const MAX_DEFAULT = 200;
const MAX_LIMIT = 1_000;

/**
 * Reads `Range: id ]0123..; max=200, order=desc` (Platform API reference, "Ranges"). A bracket makes the start
 * exclusive. `order` and `max` may come in either order, with or without a space.
 */
export function parseRange<F extends string>(
  header: string | undefined,
  fields: readonly [F, ...F[]],
): Range<F> {
  const [first] = fields;
  if (header === undefined || header.trim() === '')
    return { field: first, start: null, exclusive: false, order: 'asc', max: MAX_DEFAULT };
  const match = /^\s*([a-z_]+)\s+(\]?)([^;\s]*)\.\.([^;\s]*)\s*(?:;(.*))?$/.exec(header);
  const field = fields.find((known) => known === match?.[1]);
  const start = decoded(match?.[3] ?? '');
  if (match === null || field === undefined || start === null)
    throw kernelErrors.invalid_range({
      message: `This Range cannot be used here; order by ${fields.join(' or ')}, e.g. "Range: ${first} ..; max=200".`,
    });
  const range: Range<F> = {
    field,
    start: start === '' ? null : start,
    exclusive: match[2] === ']',
    order: 'asc',
    max: MAX_DEFAULT,
  };
  for (const option of (match[5] ?? '').split(/[,;]/)) {
    const [name = '', value = ''] = option.split('=').map((part) => part.trim());
    if (name === 'order' && (value === 'asc' || value === 'desc')) range.order = value;
    if (name === 'max' && /^\d+$/.test(value)) range.max = Math.min(Math.max(Number(value), 1), MAX_LIMIT);
  }
  return range;
}

/** null where the percent signs make no sense. */
function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

/** Runs a query for one page: from the start, in order, one row more than asked to know whether there is a next page. */
export async function pageOf<T extends ObjectLiteral, F extends string>(
  query: SelectQueryBuilder<T>,
  range: Range<F>,
  columns: Record<F, string>,
  valueOf: (item: T, field: F) => string | number,
): Promise<Page<T>> {
  const column = columns[range.field];
  if (range.start !== null) {
    const comparison = `${range.order === 'asc' ? '>' : '<'}${range.exclusive ? '' : '='}`;
    query.andWhere(`${column} ${comparison} :rangeStart`, { rangeStart: range.start });
  }
  const rows = await query
    .orderBy(column, range.order === 'asc' ? 'ASC' : 'DESC')
    .limit(range.max + 1)
    .getMany()
    .catch((error: unknown) => {
      if (!NOT_A_VALUE.has(sqlState(error) ?? '')) throw error;
      throw kernelErrors.invalid_range({
        cause: error,
        message: 'The start of this Range is not a value of its field.',
      });
    });
  const items = rows.slice(0, range.max);
  const last = items.at(-1);
  if (rows.length <= range.max || last === undefined) return { items, next: null };
  const start = encodeURIComponent(String(valueOf(last, range.field)));
  return { items, next: `${range.field} ]${start}..; order=${range.order}, max=${range.max}` };
}
