/** An answer of an origin, whole. */
export interface StoredAnswer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
  storedAt: number;
  freshUntil: number;
}

/** Answers of one site: the least recently used go first when the site's plan is full. */
export class SiteCache {
  private readonly answers = new Map<string, StoredAnswer>();
  private bytes = 0;

  constructor(private bytesMax: number) {}

  /** A smaller plan lets go of what no longer fits. */
  resize(bytesMax: number): void {
    this.bytesMax = bytesMax;
    this.evict();
  }

  find(path: string, now: number): StoredAnswer | null {
    const known = this.answers.get(path);
    if (known === undefined) return null;
    this.remove(path);
    if (known.freshUntil <= now) return null;
    // Put at the end: a map keeps the order in which keys came.
    this.add(path, known);
    return known;
  }

  store(path: string, answer: StoredAnswer): void {
    this.remove(path);
    if (sizeOf(path, answer) > this.bytesMax) return;
    this.add(path, answer);
    this.evict();
  }

  /** How many answers are gone now: those of a path with any query, or all. */
  purge(path: string | null): number {
    const purged = [...this.answers.keys()].filter((key) => path === null || key.split('?')[0] === path);
    for (const key of purged) this.remove(key);
    return purged.length;
  }

  get facts(): { answers: number; bytes: number } {
    return { answers: this.answers.size, bytes: this.bytes };
  }

  private add(path: string, answer: StoredAnswer): void {
    this.answers.set(path, answer);
    this.bytes += sizeOf(path, answer);
  }

  private remove(path: string): void {
    const known = this.answers.get(path);
    if (known === undefined) return;
    this.answers.delete(path);
    this.bytes -= sizeOf(path, known);
  }

  private evict(): void {
    for (const path of this.answers.keys()) {
      if (this.bytes <= this.bytesMax) return;
      this.remove(path);
    }
  }
}

/** Headers and the map's own share are counted as a lump. */
function sizeOf(path: string, { body }: StoredAnswer): number {
  return body.length + path.length + 512;
}
