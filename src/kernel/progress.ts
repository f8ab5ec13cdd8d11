/** Told one plain sentence a step of something long, so that a person sees that it moves. */
export interface Progress {
  /** A step begins; it ends when the next one begins. */
  step(sentence: string): void;
  /** Something that does not stop the rest, but that a person should know. */
  note(sentence: string): void;
  /** The last step is done. */
  done(sentence?: string): void;
}

export const SILENT: Progress = { step: () => undefined, note: () => undefined, done: () => undefined };
