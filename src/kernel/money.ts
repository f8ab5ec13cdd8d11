declare const cents: unique symbol;
/** Whole cents. Floats never touch money; the currency stands beside the amount. */
export type Cents = bigint & { readonly [cents]: true };

/** Whole cents from a number or a database's text. Throws on fractions. */
export function toCents(value: number | string | bigint): Cents {
  return BigInt(value) as Cents;
}

/** For JSON: prices on the wire are plain integers of cents. */
export function centsToNumber(value: Cents): number {
  return Number(value);
}
