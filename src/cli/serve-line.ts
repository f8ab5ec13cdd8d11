import { durationMs } from '../conformance/duration.js';

/** What somebody asks of `souk provider serve` at its prompt. */
export type ServeWish =
  | { name: 'provision'; plan: string | undefined }
  | { name: 'repeat' | 'deprovision' | 'sso'; resource: string }
  | { name: 'change'; resource: string; plan: string }
  | { name: 'clock'; advanceMs: number | null }
  | { name: 'list' | 'log' | 'help' | 'quit' }
  | { name: 'nothing' };

export const SERVE_HELP = [
  'provision [PLAN]        make a resource, on the default plan or another',
  'repeat RESOURCE         send its provision again, with a fresh grant',
  'change RESOURCE PLAN    change its plan',
  'deprovision RESOURCE    take it away',
  'sso RESOURCE            the address that signs a browser on',
  'list                    all resources',
  "clock [+8h]             the platform's time; forward: tokens expire, deadlines pass",
  'log                     every request and its answer so far',
  'quit                    take away what was made, and end',
  '',
  'RESOURCE is its uuid, the beginning of that, or the id that the provider gave.',
].join('\n');

/** Reads one line; a text says what is wrong with it. */
export function readServeLine(line: string): ServeWish | string {
  const [name = '', ...words] = line.trim().split(/\s+/);
  const [first, second] = words;
  if (words.length > 2) return `"${name}" takes fewer words than that. help lists the commands.`;
  switch (name) {
    case '':
      return { name: 'nothing' };
    case 'provision':
      return second === undefined ? { name, plan: first } : 'provision takes one plan.';
    case 'repeat':
    case 'deprovision':
    case 'sso':
      if (first === undefined || second !== undefined) return `Say which: ${name} RESOURCE.`;
      return { name, resource: first };
    case 'change':
      if (first === undefined || second === undefined) return 'Say which and to what: change RESOURCE PLAN.';
      return { name, resource: first, plan: second };
    case 'clock': {
      const advanceMs = first === undefined ? null : durationMs(first);
      if (second !== undefined || (first !== undefined && advanceMs === null))
        return 'Say how far: clock +8h, clock 90m, clock 1d12h.';
      return { name, advanceMs };
    }
    case 'list':
    case 'log':
    case 'help':
    case 'quit':
      return first === undefined ? { name } : `${name} stands alone.`;
    default:
      return `There is no command "${name}". help lists them.`;
  }
}
