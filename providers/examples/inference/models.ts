import { answers, refuse, type Database, type Migration, type Queryable } from '../../kit/index.js';
import { type Evidence, wordsOf } from './bayes.js';

/** Text that somebody said belongs to a label. */
export interface Example {
  label: string;
  text: string;
}

const LABELS_MAX = 100;

export const MODEL_MIGRATIONS: Migration[] = [
  {
    name: 'inference-1-models',
    sql: `
      CREATE TABLE public.models (
        uuid uuid CONSTRAINT models_pkey PRIMARY KEY,
        examples_max integer NOT NULL
      );
      CREATE TABLE public.labels (
        model uuid NOT NULL CONSTRAINT labels_model_fkey REFERENCES public.models ON DELETE CASCADE,
        label text NOT NULL,
        examples integer NOT NULL,
        words integer NOT NULL,
        CONSTRAINT labels_pkey PRIMARY KEY (model, label)
      );
      CREATE TABLE public.words (
        model uuid NOT NULL CONSTRAINT words_model_fkey REFERENCES public.models ON DELETE CASCADE,
        word text NOT NULL,
        label text NOT NULL,
        count integer NOT NULL,
        CONSTRAINT words_pkey PRIMARY KEY (model, word, label)
      );`,
  },
];

/** Every query on the models' tables. */
export class Models {
  constructor(private readonly database: Database) {}

  async create(uuid: string, examplesMax: number): Promise<void> {
    await this.database.query('INSERT INTO public.models VALUES ($1, $2) ON CONFLICT DO NOTHING', [
      uuid,
      examplesMax,
    ]);
  }

  async destroy(uuid: string): Promise<void> {
    await this.database.query('DELETE FROM public.models WHERE uuid = $1', [uuid]);
  }

  resize(uuid: string, plan: string, examplesMax: number): Promise<void> {
    return this.database.transaction(async (tx) => {
      await this.hold(tx, uuid);
      const { examples } = await this.facts(uuid, tx);
      if (examples > examplesMax)
        throw refuse(`The model has learned from ${examples} examples, and ${plan} takes ${examplesMax}.`);
      await tx.query('UPDATE public.models SET examples_max = $2 WHERE uuid = $1', [uuid, examplesMax]);
    });
  }

  async facts(uuid: string, db: Queryable = this.database): Promise<{ examples: number; labels: string[] }> {
    const rows = await db.query<{ label: string; examples: number }>(
      'SELECT label, examples FROM public.labels WHERE model = $1 ORDER BY label',
      [uuid],
    );
    return {
      examples: rows.reduce((sum, one) => sum + one.examples, 0),
      labels: rows.map(({ label }) => label),
    };
  }

  /** All of the examples, or none where the plan or the number of labels does not carry them. */
  learn(uuid: string, examples: Example[]): Promise<{ examples: number; labels: string[] }> {
    return this.database.transaction(async (tx) => {
      const examplesMax = await this.hold(tx, uuid);
      for (const { label, text } of examples) await this.add(tx, uuid, label, wordsOf(text));
      const facts = await this.facts(uuid, tx);
      if (facts.examples > examplesMax)
        throw refuse(`This plan learns from ${examplesMax} examples: choose a larger one.`);
      if (facts.labels.length > LABELS_MAX) throw refuse(`A model has at most ${LABELS_MAX} labels.`);
      return facts;
    });
  }

  /** What bears on these words. */
  async evidence(uuid: string, words: string[]): Promise<Evidence> {
    const [labels, counted, [known]] = await Promise.all([
      this.database.query<{ label: string; examples: number; words: number }>(
        'SELECT label, examples, words FROM public.labels WHERE model = $1',
        [uuid],
      ),
      this.database.query<{ label: string; word: string; count: number }>(
        'SELECT label, word, count FROM public.words WHERE model = $1 AND word = ANY ($2)',
        [uuid, [...new Set(words)]],
      ),
      this.database.query<{ count: number }>(
        'SELECT count(DISTINCT word)::int AS count FROM public.words WHERE model = $1',
        [uuid],
      ),
    ]);
    const counts = new Map(labels.map(({ label }) => [label, new Map<string, number>()]));
    for (const { label, word, count } of counted) counts.get(label)?.set(word, count);
    return {
      examples: new Map(labels.map(({ label, examples }) => [label, examples])),
      words: new Map(labels.map((one) => [one.label, one.words])),
      counts,
      vocabulary: known?.count ?? 0,
    };
  }

  /** Whoever teaches a model, or changes its plan, holds its row, so that all see the same count. */
  private async hold(tx: Queryable, uuid: string): Promise<number> {
    const [row] = await tx.query<{ max: number }>(
      'SELECT examples_max AS max FROM public.models WHERE uuid = $1 FOR UPDATE',
      [uuid],
    );
    if (row === undefined) throw answers.resourceGone();
    return row.max;
  }

  private async add(tx: Queryable, uuid: string, label: string, words: string[]): Promise<void> {
    await tx.query(
      `INSERT INTO public.labels VALUES ($1, $2, 1, $3)
       ON CONFLICT ON CONSTRAINT labels_pkey DO UPDATE
       SET examples = labels.examples + 1, words = labels.words + excluded.words`,
      [uuid, label, words.length],
    );
    await tx.query(
      `INSERT INTO public.words SELECT $1, word, $2, count(*) FROM unnest($3::text[]) AS word GROUP BY word
       ON CONFLICT ON CONSTRAINT words_pkey DO UPDATE SET count = words.count + excluded.count`,
      [uuid, label, words],
    );
  }
}
