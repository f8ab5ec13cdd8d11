/** One thing that was looked at. `gap`: Souk runs without it; `bad`: it does not start, or not safely. */
export interface Check {
  name: string;
  verdict: 'good' | 'gap' | 'bad';
  /** What was found, in words. */
  found: string;
  /** The one line that mends it. */
  fix?: string;
}
