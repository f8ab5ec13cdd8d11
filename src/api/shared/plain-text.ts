import { Matches } from 'class-validator';

/** A text that people see in terminals: no control characters, and none that reorder what stands around them. */
export const PlainText = () =>
  Matches(/^[^\p{Cc}\u202a-\u202e\u2066-\u2069]*$/u, {
    message: '$property must not hold control characters',
  });
