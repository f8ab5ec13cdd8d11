import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { AccountRepository } from '../../accounts/account.repository.js';
import type { Actor } from '../../accounts/actor.js';
import { CreateToken } from '../../accounts/commands/create-token.js';
import { RevokeToken } from '../../accounts/commands/revoke-token.js';
import { Clock } from '../../kernel/clock.js';
import { Database } from '../../kernel/db/database.js';
import { CurrentActor, Requires } from '../shared/route-access.js';
import { CreateAuthorizationBody } from './bodies.dto.js';
import { presentAccount, presentAuthorization } from './present.js';
import type { AccountResource, AuthorizationResource } from './resources.js';

@ApiTags('account')
@Controller()
export class PlatformAccountsController {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly accounts: AccountRepository,
    private readonly createToken: CreateToken,
    private readonly revokeToken: RevokeToken,
  ) {}

  /** The caller's account. */
  @Get(['account', 'users/~'])
  @Requires('account:read')
  async show(@CurrentActor() actor: Actor): Promise<AccountResource> {
    return presentAccount(await this.accounts.get(this.db.manager, actor.accountId));
  }

  /** The caller's tokens, without their text. */
  @Get('oauth/authorizations')
  @Requires('account:read')
  async tokens(@CurrentActor() actor: Actor): Promise<AuthorizationResource[]> {
    const tokens = await this.accounts.listTokens(this.db.manager, actor.accountId);
    return tokens.map((token) => presentAuthorization(token, actor.email, this.clock.now(), null));
  }

  /** Makes a token. Its text is in this answer and nowhere else. */
  @Post('oauth/authorizations')
  @Requires('account:write')
  async create(
    @CurrentActor() actor: Actor,
    @Body() body: CreateAuthorizationBody,
  ): Promise<AuthorizationResource> {
    const { token, text } = await this.createToken.run(actor, {
      description: body.description ?? 'token',
      scopes: body.scope ?? null,
      expiresInSeconds: body.expires_in ?? null,
    });
    return presentAuthorization(token, actor.email, this.clock.now(), text.reveal());
  }

  /** Revokes a token; it stops working at once. */
  @Delete('oauth/authorizations/:id')
  @HttpCode(204)
  @Requires('account:write')
  async revoke(@CurrentActor() actor: Actor, @Param('id') id: string): Promise<void> {
    await this.revokeToken.run(actor, id);
  }
}
