import { Clock, plusMs } from '../kernel/clock.js';

/** The machine's time, moved forward by whoever wants to see deadlines pass. It never goes back. */
export class MovableClock extends Clock {
  private aheadMs = 0;

  override now(): Date {
    return plusMs(super.now(), this.aheadMs);
  }

  advance(ms: number): void {
    this.aheadMs += ms;
  }
}
