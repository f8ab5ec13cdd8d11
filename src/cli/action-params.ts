import { ApiError } from './api-client.js';

/** What of an action's JSON Schema tells how a text is meant. */
export interface ParamsSchema {
  properties?: Record<string, { type: string }>;
  required?: string[];
}

/** `key=value` texts as the action's schema means them. What it does not name is sent as a text: the server says so. */
export function parseParams(given: readonly string[], schema: ParamsSchema): Record<string, unknown> {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw new ApiError(`A param is NAME=VALUE, not "${text}".`, null, null);
      const [name, value] = [text.slice(0, at), text.slice(at + 1)];
      const properties = schema.properties ?? {};
      const type = Object.hasOwn(properties, name) ? properties[name]?.type : undefined;
      return [name, valueOf(name, value, type)];
    }),
  );
}

function valueOf(name: string, text: string, type: string | undefined): unknown {
  switch (type) {
    case 'integer':
    case 'number':
      if (text.trim() === '' || !Number.isFinite(Number(text)))
        throw new ApiError(`${name} must be a number, not "${text}".`, null, null);
      return Number(text);
    case 'boolean':
      if (text !== 'true' && text !== 'false')
        throw new ApiError(`${name} must be true or false, not "${text}".`, null, null);
      return text === 'true';
    case 'object':
    case 'array':
      try {
        return JSON.parse(text);
      } catch {
        throw new ApiError(`${name} must be JSON, such as '["a", "b"]'.`, null, null);
      }
    default:
      return text;
  }
}
