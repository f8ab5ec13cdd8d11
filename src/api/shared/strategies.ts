import { createHash, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import passport from 'passport';
import { Authenticate } from '../../accounts/authenticate.js';
import { accountErrors } from '../../accounts/accounts.errors.js';
import { tokenFromHeader } from '../../accounts/tokens.js';
import { AuthenticateProvider } from '../../addons/grants/authenticate-provider.js';
import { CatalogRepository } from '../../catalog/catalog.repository.js';
import { Database } from '../../kernel/db/database.js';
import type { CallingProvider } from './route-access.js';

type Verify = (request: FastifyRequest) => Promise<object>;

/** A passport strategy that is one function of the request; its rejection is the answer. */
class RequestStrategy extends passport.Strategy {
  constructor(
    override readonly name: string,
    private readonly verify: Verify,
  ) {
    super();
  }

  override authenticate(request: unknown): void {
    this.verify(request as FastifyRequest).then(
      (user) => this.success(user),
      (error: unknown) => this.error(error),
    );
  }
}

export type StrategyName = 'token' | 'provider' | 'addon';

/** The ways to prove who one is. Each application has a passport of its own, so that several can live in one process. */
@Injectable()
export class Strategies {
  private readonly passport = new passport.Passport();

  constructor(
    private readonly authenticate: Authenticate,
    private readonly db: Database,
    private readonly catalog: CatalogRepository,
    private readonly authenticateProvider: AuthenticateProvider,
  ) {
    this.passport.use(new RequestStrategy('token', (request) => this.account(request)));
    this.passport.use(new RequestStrategy('provider', (request) => this.provider(request)));
    this.passport.use(new RequestStrategy('addon', (request) => this.addon(request)));
  }

  /** The user behind a request; rejects with the error to answer. */
  identify(name: StrategyName, request: FastifyRequest, reply: FastifyReply): Promise<object> {
    return new Promise((resolve, reject) => {
      const settle = (error: unknown, user?: object | false | null) => {
        if (user) resolve(user);
        else reject(error instanceof Error ? error : accountErrors.unauthorized());
      };
      const middleware = this.passport.authenticate(name, { session: false }, settle) as (
        request: FastifyRequest,
        reply: FastifyReply,
        next: (error: unknown) => void,
      ) => void;
      middleware(request, reply, settle);
    });
  }

  /** An account's token, as Bearer or as the password of Basic. */
  private account(request: FastifyRequest): Promise<object> {
    return this.authenticate.run(tokenFromHeader(request.headers.authorization), request.requestId);
  }

  /** A provider's access token for one add-on, as Bearer. */
  private addon(request: FastifyRequest): Promise<object> {
    return this.authenticateProvider.run(tokenFromHeader(request.headers.authorization), request.requestId);
  }

  /** A provider's Basic credentials: the service's slug and the password of its manifest. */
  private async provider(request: FastifyRequest): Promise<CallingProvider> {
    const [, encoded = ''] = /^basic\s+(.+)$/i.exec(request.headers.authorization ?? '') ?? [];
    const decoded = Buffer.from(encoded, 'base64').toString('utf8');
    const slug = decoded.slice(0, Math.max(decoded.indexOf(':'), 0));
    const known = slug === '' ? null : await this.catalog.findAccessBySlug(this.db.manager, slug);
    // A comparison takes place for unknown slugs too, so that the time taken does not tell which exist.
    const right = sameText(decoded.slice(slug.length + 1), known?.password.reveal() ?? '');
    if (known === null || !right)
      throw accountErrors.unauthorized({
        message: "Send Basic credentials: the service's slug and its password.",
      });
    return {
      id: known.id,
      slug,
      author: { kind: 'provider', id: known.id, name: slug, requestId: request.requestId },
    };
  }
}

/** Equality in constant time, whatever the lengths. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
