import Table from 'cli-table3';

/** Prints facts: JSON for programs where `--json` asks for it, else text for people. */
export function printFacts(facts: unknown, asJson: boolean | undefined, text: () => string): void {
  process.stdout.write(`${asJson === true ? JSON.stringify(facts, null, 2) : text()}\n`);
}

/** A table without lines, as terminals show lists best. */
export function table(head: string[], rows: string[][]): string {
  const made = new Table({
    head,
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 2 },
    chars: {
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      right: '',
      'right-mid': '',
      middle: '',
    },
  });
  made.push(...rows);
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** A UTC time as the person at the terminal reads it, in their zone. */
export function localTime(iso: string | null): string {
  if (iso === null) return '';
  return new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' }).format(
    new Date(iso),
  );
}

/** Shows that there is a secret and how it begins, not what it is. Credentials inside a URL are what is hidden of it. */
export function mask(value: string): string {
  if (URL.canParse(value) && value.includes('://')) {
    const url = new URL(value);
    if (url.username !== '' || url.password !== '') return `${url.protocol}//•••:•••@${url.host}/•••`;
  }
  return '•'.repeat(8);
}
