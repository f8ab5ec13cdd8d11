import { Injectable } from '@nestjs/common';

/**
 * Named moments just before and after a commit. In production reaching one does nothing; tests make the process
 * die there, to prove that what follows a crash is the same as what follows success.
 */
@Injectable()
export class CrashPoints {
  /** Called with the name of each point as it is reached. */
  reach(_point: string): void {
    // Nothing happens outside tests.
  }
}

/** Kills the process, as `kill -9` does, the `nth` time that it reaches `point`. */
export class KillAtPoint extends CrashPoints {
  private seen = 0;

  constructor(
    private readonly point: string,
    private readonly nth: number,
  ) {
    super();
  }

  override reach(point: string): void {
    if (point !== this.point) return;
    this.seen += 1;
    if (this.seen === this.nth) process.kill(process.pid, 'SIGKILL');
  }
}

/** `SOUK_CRASH_AT=point` or `point#n`; unset gives the points that do nothing. */
export function crashPointsFromEnv(value: string | undefined): CrashPoints {
  if (value === undefined || value === '') return new CrashPoints();
  const [point = '', nth = '1'] = value.split('#');
  return new KillAtPoint(point, Number(nth));
}
