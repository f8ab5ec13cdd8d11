import Table from 'cli-table3';

/** One measured thing; `value` is compared with that of the first, the baseline. */
export interface Measure {
  name: string;
  value: number;
  unit: string;
  /** Further facts in the order of `columns`. */
  facts?: string[];
}

const BAR_WIDTH = 32;

/** Prints a comparison with a bar for each measure, and its ratio to the baseline, which comes first. */
export function report(title: string, goal: string, columns: string[], measures: Measure[]): void {
  const longest = Math.max(...measures.map(({ value }) => value));
  const baseline = measures[0]?.value ?? Number.NaN;
  const table = new Table({ head: ['', 'VALUE', ...columns, 'RATIO', ''], style: { head: [], border: [] } });
  table.push(
    ...measures.map(({ name, value, unit, facts = [] }) => [
      name,
      `${value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : Math.round(value)} ${unit}`,
      ...facts,
      (value / baseline).toFixed(2),
      '█'.repeat(Math.max(1, Math.round((value / longest) * BAR_WIDTH))),
    ]),
  );
  process.stdout.write(`\n${title}\n${goal}\n${table.toString()}\n`);
}
