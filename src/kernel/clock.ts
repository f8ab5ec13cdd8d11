import { Injectable } from '@nestjs/common';

/** The only source of time: tests move it, so nothing else may read the system's clock. */
@Injectable()
export class Clock {
  /** The present moment. */
  now(): Date {
    return new Date();
  }
}

/** `time` moved by `ms` milliseconds (negative: earlier). */
export function plusMs(time: Date, ms: number): Date {
  return new Date(time.getTime() + ms);
}
