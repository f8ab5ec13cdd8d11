/** Named moments just before and after a commit, where tests make the process die. */
export interface CrashPoints {
  /** Called with the name of each point as it is passed. */
  reach(point: string): void;
}

/** The points of a process that nobody tests: passing one does nothing. */
export const noCrashPoints: CrashPoints = { reach: () => undefined };

/** `SOUK_CRASH_AT=point` or `point#n`: dies as by `kill -9` at the n-th pass. Unset: nothing ever happens. */
export function crashPointsFromEnv(value: string | undefined): CrashPoints {
  if (value === undefined || value === '') return noCrashPoints;
  const [wanted = '', nth = '1'] = value.split('#');
  let seen = 0;
  return {
    reach(point) {
      if (point !== wanted) return;
      seen += 1;
      if (seen === Number(nth)) process.kill(process.pid, 'SIGKILL');
    },
  };
}
