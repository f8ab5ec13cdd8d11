/**
 * The frames that were taken lately, so that one which is sent again is not taken twice. Bounded: the oldest is
 * forgotten first, long after the sender stopped repeating it.
 */
export class SeenFrames {
  private readonly frames = new Map<string, Promise<void>>();

  constructor(private readonly max = 10_000) {}

  /** Does the work once for each key. A repeat waits for the same outcome; work that failed is forgotten. */
  async once(key: string, work: () => Promise<void>): Promise<void> {
    const known = this.frames.get(key);
    if (known !== undefined) return known;
    const outcome = work();
    this.frames.set(key, outcome);
    const [oldest] = this.frames.keys();
    if (this.frames.size > this.max && oldest !== undefined) this.frames.delete(oldest);
    try {
      await outcome;
    } catch (error) {
      if (this.frames.get(key) === outcome) this.frames.delete(key);
      throw error;
    }
  }
}
