import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SoukError } from '../../kernel/errors.js';
import { RedeemTicket } from '../../sso/commands/redeem-ticket.js';
import { bodyOf } from '../shared/error.filter.js';
import { Public } from '../shared/route-access.js';
import { ssoFormPage, ssoRefusalPage, type Page } from './sso-page.js';

/** Where `web_url` leads: a browser has no token, so the ticket in the address says who it is. */
@ApiTags('add-ons')
@Controller('sso')
export class SsoPageController {
  constructor(private readonly redeem: RedeemTicket) {}

  /** A page that signs the ticket's holder on at the provider, once. */
  @Get(':resource')
  @Public()
  @ApiProduces('text/html')
  async open(
    @Param('resource') resource: string,
    @Query('ticket') ticket: string | string[] | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const text = typeof ticket === 'string' && isVisit(request) ? ticket : '';
    const page = await this.pageFor(resource, text, request, reply);
    void reply.headers(page.headers);
    return page.html;
  }

  /** A person who follows a link gets a page, also where it says no; a program gets the refusal as everywhere. */
  private async pageFor(
    resource: string,
    ticket: string,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<Page> {
    try {
      return ssoFormPage(await this.redeem.run(resource, ticket, request.requestId));
    } catch (error) {
      const wantsHtml = request.headers.accept?.includes('text/html') === true;
      if (!(error instanceof SoukError) || error.spec.status >= 500 || !wantsHtml) throw error;
      request.errorId = error.id;
      void reply.status(error.spec.status);
      return ssoRefusalPage(bodyOf(error, request.requestId));
    }
  }
}

/** Not what looks ahead (HEAD, a prefetch): that would use the ticket up before the person comes. */
function isVisit({ method, headers }: FastifyRequest): boolean {
  return method === 'GET' && headers['sec-purpose'] === undefined && headers.purpose === undefined;
}
