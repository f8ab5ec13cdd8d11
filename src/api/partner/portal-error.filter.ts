import { Catch, Injectable, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { SoukError } from '../../kernel/errors.js';
import { bodyOf, ErrorFilter, type ErrorBody } from '../shared/error.filter.js';

/** As the partner portal's own client reads errors: `error` is a sentence, or `base` holds several. */
interface PortalErrorBody extends ErrorBody {
  error: string | { base: readonly string[] };
}

/** Renders errors as the partner portal does, with the id and the message of every other surface beside. */
@Catch()
@Injectable()
export class PortalErrorFilter implements ExceptionFilter {
  constructor(private readonly errors: ErrorFilter) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    this.errors.answer(thrown, host, portalBodyOf);
  }
}

function portalBodyOf(error: SoukError, requestId: string | undefined): PortalErrorBody {
  const { problems, message } = error;
  return { error: problems.length > 0 ? { base: problems } : message, ...bodyOf(error, requestId) };
}
