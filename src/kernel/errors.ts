/** What one error id means. Ids are a public contract: never renamed, never reused. */
export interface ErrorSpec {
  /** HTTP status of every surface that has no rule of its own. */
  status: number;
  /** One sentence for a person: what is wrong and what to do. */
  message: string;
  /** The Platform API answers with this id instead, where Heroku's clients compare it. */
  platformId?: string;
  /** The kind of thing that was not found, in Heroku's words (`add_on`, `app`). */
  resource?: string;
  /** The Open Service Broker error code. */
  osb?: string;
}

export interface ErrorDetails {
  /** A more exact sentence than the catalogue's, for this one case. */
  message?: string;
  /** For the log only; never shown to the caller. */
  internal?: string;
  cause?: unknown;
  /** Each thing that is wrong, where the message holds several. */
  problems?: string[];
  /** The app that a confirmation or refusal is about; the CLI prints its name. */
  app?: { name: string };
}

/** An error with a stable id that a person may meet. */
export class SoukError extends Error {
  readonly internal: string | undefined;
  readonly app: { name: string } | undefined;
  readonly problems: readonly string[];

  constructor(
    readonly id: string,
    readonly spec: ErrorSpec,
    details: ErrorDetails = {},
  ) {
    super(details.message ?? spec.message, { cause: details.cause });
    this.name = 'SoukError';
    this.internal = details.internal;
    this.app = details.app;
    this.problems = details.problems ?? [];
  }
}

type ErrorFactories<T extends Record<string, ErrorSpec>> = Record<
  keyof T & string,
  (details?: ErrorDetails) => SoukError
>;

const catalogue = new Map<string, ErrorSpec>();

/** Declares error ids and gives one factory for each. An id declared twice stops the process. */
export function defineErrors<T extends Record<string, ErrorSpec>>(specs: T): ErrorFactories<T> {
  const factories = {} as ErrorFactories<T>;
  for (const [id, spec] of Object.entries(specs)) {
    if (catalogue.has(id)) throw new Error(`error id ${id} is defined twice`);
    catalogue.set(id, spec);
    factories[id as keyof T & string] = (details) => new SoukError(id, spec, details);
  }
  return factories;
}

/** Every error id that loaded code declares, for the docs and their guard. */
export function allErrors(): ReadonlyMap<string, ErrorSpec> {
  return catalogue;
}

export const kernelErrors = defineErrors({
  bad_request: { status: 400, message: 'The request could not be read; check its syntax.' },
  not_found: { status: 404, message: 'There is nothing at this address; check the path and the method.' },
  request_timeout: { status: 408, message: 'The request took too long to arrive; send it again.' },
  body_too_large: { status: 413, message: 'The request body is too large; send at most 4 MiB.' },
  address_too_long: {
    status: 414,
    message: 'The address is too long; a name or an id in it has at most 2,000 characters.',
  },
  headers_too_large: { status: 431, message: 'The headers are too large; send at most 64 KiB of them.' },
  unsupported_media_type: {
    status: 415,
    message: 'The body must be JSON; send it with Content-Type: application/json.',
  },
  invalid_params: { status: 422, message: 'Some fields of the request are not valid.' },
  invalid_range: {
    status: 416,
    message:
      'The Range header cannot be used here; see Accept-Ranges for the fields that lists are ordered by.',
  },
  unavailable: { status: 503, message: 'Souk cannot answer right now; try again in a moment.' },
  internal_error: {
    status: 500,
    message: 'Something went wrong on our side; tell your operator the request id.',
  },
});
