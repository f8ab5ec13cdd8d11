/** What a model learned that bears on one text. */
export interface Evidence {
  /** Examples by label. */
  examples: Map<string, number>;
  /** All words of a label's examples together, by label. */
  words: Map<string, number>;
  /** How often a word stood in a label's examples, by label, then word. */
  counts: Map<string, Map<string, number>>;
  /** How many different words the model knows. */
  vocabulary: number;
}

export interface Score {
  label: string;
  probability: number;
}

const WORDS_MAX = 2_000;

/** The words of a text, in small letters, in order, as often as they stand there. */
export function wordsOf(text: string): string[] {
  return (
    text
      .toLowerCase()
      .normalize('NFKC')
      .match(/[\p{L}\p{N}]{1,40}/gu) ?? []
  ).slice(0, WORDS_MAX);
}

/** Naive Bayes over words, each word counted once more than seen, so that a new one rules nothing out. Best first. */
export function classify(
  words: string[],
  { examples, words: totals, counts, vocabulary }: Evidence,
): Score[] {
  const all = [...examples.values()].reduce((sum, one) => sum + one, 0);
  const logs = [...examples].map(([label, count]): [string, number] => {
    const total = (totals.get(label) ?? 0) + vocabulary + 1;
    const known = counts.get(label);
    const sum = words.reduce((log, word) => log + Math.log(((known?.get(word) ?? 0) + 1) / total), 0);
    return [label, Math.log(count / all) + sum];
  });
  // Against the best, since the numbers themselves are too small for a double.
  const best = Math.max(...logs.map(([, log]) => log));
  const weights = logs.map(([label, log]): [string, number] => [label, Math.exp(log - best)]);
  const sum = weights.reduce((total, [, weight]) => total + weight, 0);
  return weights
    .map(([label, weight]) => ({ label, probability: weight / sum }))
    .sort((a, b) => b.probability - a.probability || a.label.localeCompare(b.label));
}
