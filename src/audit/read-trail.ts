import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { AuditTrail, type AuditAuthor, type AuditEntry } from './audit-trail.js';

const WINDOW_MS = 60_000;
const SWEEP_MS = 30_000;

interface Window {
  author: AuditAuthor;
  entry: AuditEntry;
  /** The first read's row. */
  stored: Promise<void>;
  endsAtMs: number;
  repeats: number;
}

/**
 * Audits reads of secrets. The first read of a thing by somebody is stored before its value leaves; what the same one
 * reads again within a minute is counted, and stored as one row with that count when the minute is over.
 */
@Injectable()
export class ReadTrail implements BeforeApplicationShutdown {
  private readonly windows = new Map<string, Window>();
  private sweeper: NodeJS.Timeout | null = null;

  constructor(
    private readonly trail: AuditTrail,
    private readonly clock: Clock,
  ) {}

  /** `reader`: who reads, as exactly as is known (a token, not only its account). Rejects where it cannot be stored. */
  async note(reader: string, author: AuditAuthor, entry: AuditEntry): Promise<void> {
    const key = `${reader} ${entry.action} ${entry.subject.id} ${JSON.stringify(entry.details)}`;
    const nowMs = this.clock.now().getTime();
    const known = this.windows.get(key);
    if (known !== undefined && known.endsAtMs > nowMs) {
      await known.stored;
      known.repeats += 1;
      return;
    }
    if (known !== undefined) await this.close(key, known);
    const stored = this.trail.noteRead(author, entry);
    this.windows.set(key, { author, entry, stored, endsAtMs: nowMs + WINDOW_MS, repeats: 0 });
    this.sweeper ??= setInterval(() => void this.sweep(), SWEEP_MS).unref();
    try {
      await stored;
    } catch (error) {
      this.windows.delete(key);
      throw error;
    }
  }

  async beforeApplicationShutdown(): Promise<void> {
    if (this.sweeper !== null) clearInterval(this.sweeper);
    await Promise.allSettled([...this.windows].map(([key, window]) => this.close(key, window)));
  }

  private async sweep(): Promise<void> {
    const nowMs = this.clock.now().getTime();
    const over = [...this.windows].filter(([, { endsAtMs }]) => endsAtMs <= nowMs);
    await Promise.allSettled(over.map(([key, window]) => this.close(key, window)));
  }

  /** Where the count cannot be stored now it stays, and is tried again with the next sweep. */
  private async close(key: string, window: Window): Promise<void> {
    this.windows.delete(key);
    if (window.repeats === 0) return;
    const details = { ...window.entry.details, repeats: window.repeats };
    try {
      await this.trail.noteRead(window.author, { ...window.entry, details });
    } catch (error) {
      if (!this.windows.has(key)) this.windows.set(key, window);
      throw error;
    }
  }
}
