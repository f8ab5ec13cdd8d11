import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { startPostgres } from '../../engines/index.js';
import {
  answers,
  escapeHtml,
  isSame,
  type ProviderContext,
  type ProviderDefinition,
  type ProviderParts,
} from '../../kit/index.js';
import { classify, wordsOf } from './bayes.js';
import { type Example, MODEL_MIGRATIONS, Models } from './models.js';

const EXAMPLES_MAX = 1_000;
const TEXT_MAX = 20_000;
const LABEL_MAX = 60;

/** A text classifier that learns from what its tenant shows it. */
export const inference: Omit<ProviderDefinition, 'module'> = {
  database: (home) => startPostgres({ home, name: 'provider' }),
  migrations: MODEL_MIGRATIONS,
  start: startInference,
};

function startInference(context: ProviderContext): ProviderParts {
  const { database, manifest, publicUrl } = context;
  const models = new Models(database);
  const examplesMax = (plan: string): number => {
    const max = manifest.plans.find(({ id }) => id === plan)?.features.examples;
    return typeof max === 'number' ? max : 0;
  };
  return {
    draft: () => ({ facts: {}, secrets: { key: randomBytes(24).toString('base64url') } }),
    create: ({ uuid, plan }) => models.create(uuid, examplesMax(plan)),
    resize: ({ uuid }, plan) => models.resize(uuid, plan, examplesMax(plan)),
    destroy: ({ uuid }) => models.destroy(uuid),
    credentials: ({ uuid, secrets }) => ({
      INFERENCE_URL: `${publicUrl()}/models/${uuid}`,
      INFERENCE_KEY: secrets.key ?? '',
    }),
    dashboard: async ({ uuid, plan }) => {
      const { examples, labels } = await models.facts(uuid);
      const named = escapeHtml(labels.join(', '));
      return `<!doctype html><title>Inference</title><h1>Inference</h1><p>${examples} of ${examplesMax(plan)} examples.</p><p>Labels: ${named}</p>`;
    },
    routes: (server) => addModelRoutes(server, context, models),
  };
}

type ModelRequest = FastifyRequest<{ Params: { uuid: string } }>;

function addModelRoutes(server: FastifyInstance, { find }: ProviderContext, models: Models): void {
  const options = { config: { public: true } };
  const path = '/models/:uuid';
  const owned = async ({ params, headers }: ModelRequest): Promise<string> => {
    const resource = await find(params.uuid);
    const given = (headers.authorization ?? '').replace(/^bearer /i, '');
    if (resource === null || !isSame(given, resource.secrets.key ?? '')) throw answers.unauthorized();
    return resource.uuid;
  };
  server.get(path, options, async (request: ModelRequest) => models.facts(await owned(request)));
  server.post(`${path}/examples`, options, async (request: ModelRequest, reply) => {
    const uuid = await owned(request);
    return reply.code(201).send(await models.learn(uuid, parseExamples(request.body)));
  });
  server.post(`${path}/classify`, options, async (request: ModelRequest) => {
    const uuid = await owned(request);
    const words = wordsOf(text((request.body as { text?: unknown } | null)?.text, 'text', TEXT_MAX));
    const scores = classify(words, await models.evidence(uuid, words));
    if (scores.length === 0)
      throw answers.invalid('The model has not learned anything yet: POST examples first.');
    return { label: scores[0]?.label, scores };
  });
}

/** One example, or `{"examples": […]}`. */
function parseExamples(body: unknown): Example[] {
  const given = (body as { examples?: unknown } | null)?.examples ?? [body];
  if (!Array.isArray(given) || given.length === 0 || given.length > EXAMPLES_MAX)
    throw answers.invalid(`The field "examples" must be a list of 1 to ${EXAMPLES_MAX}.`);
  return given.map((one: unknown) => {
    const fields = (one ?? {}) as Record<string, unknown>;
    return { label: text(fields.label, 'label', LABEL_MAX), text: text(fields.text, 'text', TEXT_MAX) };
  });
}

function text(value: unknown, field: string, max: number): string {
  if (typeof value === 'string' && value.trim() !== '' && value.length <= max && !value.includes('\0'))
    return value;
  throw answers.invalid(`The field "${field}" must be a text of up to ${max} characters.`);
}
