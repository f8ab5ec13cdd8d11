import { CrashPoints } from '../../src/kernel/crash-points.js';

/** Fails in this process, once, where a real one would die. */
export class FailingOnce extends CrashPoints {
  at: string | null = null;

  override reach(point: string): void {
    if (point !== this.at) return;
    this.at = null;
    throw new Error(`died at ${point}`);
  }
}
