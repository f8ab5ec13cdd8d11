import type { ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import { sqlState } from './db/database.js';
import { kernelErrors } from './errors.js';
import { isId } from './ids.js';

/** One page of a list as the Platform API's `Range` header asks for it. */
export interface Range<F extends string> {
  field: F;
  /** Where the page begins: at this value, or just after it when `exclusive`. */
  start: string | null;
  exclusive: boolean;
  /** Where it ends, this value included. */
  end: string | null;
  order: 'asc' | 'desc';
  max: number;
}

export interface Page<T> {
  items: T[];
  /** The values of the first and the last item, as `Content-Range` has them; null on an empty page. */
  shown: string | null;
  /** The `Range` value of the next page; null on the last one. */
  next: string | null;
}

/** SQLSTATEs of a text that is no value of a column's type, or too large for it. */
const NOT_A_VALUE = new Set(['22P02', '22003', '22007', '22008']);

const MAX_DEFAULT = 200;
const MAX_LIMIT = 1_000;

/**
 * Reads `Range: id ]0123..4567; max=200, order=desc` (Platform API reference, "Ranges"). A bracket makes the start
 * exclusive; the end is part of the range. `order` and `max` may come in either order, with or without a space.
 */
export function parseRange<F extends string>(
  header: string | undefined,
  fields: readonly [F, ...F[]],
): Range<F> {
  const [first] = fields;
  if (header === undefined || header.trim() === '')
    return { field: first, start: null, exclusive: false, end: null, order: 'asc', max: MAX_DEFAULT };
  const match = /^\s*([a-z_]+)\s+(\]?)([^;\s]*)\.\.([^;\s]*)\s*(?:;(.*))?$/.exec(header);
  const field = fields.find((known) => known === match?.[1]);
  const start = decoded(match?.[3] ?? '');
  const end = decoded(match?.[4] ?? '');
  if (match === null || field === undefined || start === null || end === null)
    throw kernelErrors.invalid_range({
      message: `This Range cannot be used here; order by ${fields.join(' or ')}, e.g. "Range: ${first} ..; max=200".`,
    });
  const range: Range<F> = {
    field,
    start: start === '' ? null : start,
    exclusive: match[2] === ']',
    end: end === '' ? null : end,
    order: 'asc',
    max: MAX_DEFAULT,
  };
  for (const option of (match[5] ?? '').split(/[,;]/)) {
    const [name = '', value = ''] = option.split('=').map((part) => part.trim());
    if (name === 'order') range.order = parseOrder(value);
    if (name === 'max') range.max = parseMax(value);
  }
  return range;
}

function parseOrder(text: string): 'asc' | 'desc' {
  if (text === 'asc' || text === 'desc') return text;
  throw kernelErrors.invalid_range({ message: 'The order of a Range is asc or desc.' });
}

function parseMax(text: string): number {
  const max = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (max >= 1 && max <= MAX_LIMIT) return max;
  throw kernelErrors.invalid_range({
    message: `The max of a Range is a whole number from 1 to ${MAX_LIMIT}.`,
  });
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

/** What a list is ordered by. */
export interface Order<T, F extends string> {
  columns: Record<F, string>;
  valueOf: (item: T, field: F) => string | number;
  /** For a field whose values are not unique: the column and the value that tell equal ones apart. */
  ties?: { fields: readonly F[]; column: string; valueOf: (item: T) => string };
}

/** Runs a query for one page: from the start, in order, one row more than asked to know whether there is a next page. */
export async function pageOf<T extends ObjectLiteral, F extends string>(
  query: SelectQueryBuilder<T>,
  range: Range<F>,
  order: Order<T, F>,
): Promise<Page<T>> {
  const { field } = range;
  const column = order.columns[field];
  const ties = order.ties?.fields.includes(field) === true ? order.ties : undefined;
  const [after, before, direction] =
    range.order === 'asc' ? (['>', '<', 'ASC'] as const) : (['<', '>', 'DESC'] as const);
  const tied = ties === undefined ? null : splitTied(range);
  if (ties !== undefined && tied !== null)
    query.andWhere(`(${column}, ${ties.column}) ${after} (:rangeStart, :rangeTie)`, {
      rangeStart: tied.value,
      rangeTie: tied.tie,
    });
  else if (range.start !== null)
    query.andWhere(`${column} ${after}${range.exclusive ? '' : '='} :rangeStart`, {
      rangeStart: range.start,
    });
  if (range.end !== null) query.andWhere(`${column} ${before}= :rangeEnd`, { rangeEnd: range.end });
  query.orderBy(column, direction);
  if (ties !== undefined) query.addOrderBy(ties.column, direction);
  const rows = await query
    .limit(range.max + 1)
    .getMany()
    .catch((error: unknown) => {
      if (!NOT_A_VALUE.has(sqlState(error) ?? '')) throw error;
      throw kernelErrors.invalid_range({
        cause: error,
        message: 'The start or the end of this Range is not a value of its field.',
      });
    });
  const items = rows.slice(0, range.max);
  const [first, last] = [items[0], items.at(-1)];
  if (first === undefined || last === undefined) return { items, shown: null, next: null };
  const text = (item: T) => encodeURIComponent(String(order.valueOf(item, field)));
  const shown = `${field} ${text(first)}..${text(last)}`;
  if (rows.length <= range.max) return { items, shown, next: null };
  const start = `${text(last)}${ties === undefined ? '' : `${TIE}${ties.valueOf(last)}`}`;
  const end = range.end === null ? '' : encodeURIComponent(range.end);
  return { items, shown, next: `${field} ]${start}..${end}; order=${range.order}, max=${range.max}` };
}

/** Between a value and the id that tells it from its equals, in the start of a next page. */
const TIE = ',';

/** The two parts of a start that a page of equal values gave; null for what a user typed. */
function splitTied(range: Range<string>): { value: string; tie: string } | null {
  const at = range.start?.lastIndexOf(TIE) ?? -1;
  if (range.start === null || !range.exclusive || at < 0) return null;
  const tie = range.start.slice(at + TIE.length);
  return isId(tie) ? { value: range.start.slice(0, at), tie } : null;
}
