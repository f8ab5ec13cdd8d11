import { neutralise } from '../../addons/addon.js';
import type { JsonSchema } from '../../catalog/json-schema.js';
import { valueProblems } from '../../catalog/json-schema.js';
import type { Reply } from '../reply.js';

/** What a provider said to an action that it carried out. */
export interface ActionAnswer {
  result: unknown;
  /** For the customer, made harmless. */
  message: string | null;
  /** For the operator: why there is no result although the provider sent one. */
  problem: string | null;
}

const UNFIT =
  'The provider carried this out, but its result is not what its manifest promises, so it is not shown.';

/** The answer in a success. A result that breaks the manifest's promise is dropped: programs rely on its form. */
export function parseActionAnswer(reply: Reply, schema: JsonSchema | null): ActionAnswer | null {
  if (reply.kind !== 'answered' || reply.status < 200 || reply.status >= 300 || reply.status === 202)
    return null;
  const body = typeof reply.body === 'object' && reply.body !== null ? reply.body : {};
  const { result = null, message = null } = body as { result?: unknown; message?: unknown };
  const problems = schema === null ? [] : valueProblems(schema, result, 'result', false);
  if (problems.length > 0)
    return {
      result: null,
      message: UNFIT,
      problem: `the result is not what the manifest promises: ${problems.slice(0, 3).join(' ')}`,
    };
  return { result, message: neutralise(message), problem: null };
}
