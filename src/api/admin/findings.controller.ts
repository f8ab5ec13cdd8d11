import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../accounts/actor.js';
import { Database } from '../../kernel/db/database.js';
import { parseRange } from '../../kernel/range.js';
import { CloseFinding } from '../../provisioning/commands/close-finding.js';
import { FindingRepository } from '../../provisioning/finding.repository.js';
import { sendPage } from '../shared/paging.js';
import { CurrentActor, PagedBy, Requires } from '../shared/route-access.js';
import { FindingsQuery, ReasonBody } from './operations.dto.js';
import { presentFinding } from './present-operator.js';
import type { FindingResource } from './operator-resources.js';

/** What could not be settled and wants a person's eye. */
@ApiTags('operator')
@Controller('admin/findings')
export class AdminFindingsController {
  constructor(
    private readonly db: Database,
    private readonly findings: FindingRepository,
    private readonly closeFinding: CloseFinding,
  ) {}

  /** The findings that are open, oldest first; with `state`, those that were closed, or all. */
  @Get()
  @PagedBy('created_at', 'id')
  @Requires('admin')
  async list(
    @Query() query: FindingsQuery,
    @Headers('range') range: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<FindingResource[]> {
    const asked = parseRange(range, ['created_at', 'id']);
    const page = await this.findings.list(this.db.manager, query.state ?? 'open', asked);
    return sendPage(reply, page, 'created_at, id', page.items.map(presentFinding));
  }

  /** Closes a finding that a person has looked at. One that is closed stays as it is. */
  @Post(':finding/close')
  @HttpCode(200)
  @Requires('admin')
  async close(
    @CurrentActor() actor: Actor,
    @Param('finding') finding: string,
    @Body() body: ReasonBody,
  ): Promise<FindingResource> {
    return presentFinding(await this.closeFinding.run(actor, finding, body.reason));
  }
}
