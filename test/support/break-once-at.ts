import { CrashPoints } from '../../src/kernel/crash-points.js';

/** Whoever works breaks off at this point, once: what it holds is left as it is, as after `kill -9`. */
export class BreakOnceAt extends CrashPoints {
  point: string | null = null;

  override reach(point: string): void {
    if (point !== this.point) return;
    this.point = null;
    throw new Error(`broken off at ${point}`);
  }
}
