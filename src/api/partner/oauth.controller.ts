import { Body, Controller, Header, HttpCode, Post, Query, Req } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { ExchangeGrant, type IssuedTokens } from '../../addons/grants/commands/exchange-grant.js';
import { RefreshAccess } from '../../addons/grants/commands/refresh-access.js';
import { Public } from '../shared/route-access.js';
import { parseTokenRequest, type TokenRequest } from '../shared/token-request.js';
import { TokenBody, type TokenResource } from './oauth.dto.js';
import { presentTokens } from './present.js';

@ApiTags('for providers')
@Controller('oauth/token')
export class PartnerOAuthController {
  constructor(
    private readonly exchangeGrant: ExchangeGrant,
    private readonly refreshAccess: RefreshAccess,
  ) {}

  /** A provider exchanges a grant, or a refresh token, for an access token to one add-on. Its client secret proves who it is. */
  @Post()
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @Public()
  @ApiConsumes('application/x-www-form-urlencoded', 'application/json')
  @ApiBody({ type: TokenBody })
  async create(
    @Body() body: unknown,
    @Query() query: unknown,
    @Req() request: FastifyRequest,
  ): Promise<TokenResource> {
    return presentTokens(await this.issue(parseTokenRequest(body, query), request.requestId));
  }

  private issue(asked: TokenRequest, requestId: string): Promise<IssuedTokens> {
    switch (asked.grantType) {
      case 'authorization_code':
        return this.exchangeGrant.run(asked.code, asked.clientSecret, requestId);
      case 'refresh_token':
        return this.refreshAccess.run(asked.refreshToken, asked.clientSecret);
    }
  }
}
