import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../accounts/actor.js';
import { Clock } from '../../kernel/clock.js';
import { Database } from '../../kernel/db/database.js';
import { parseRange } from '../../kernel/range.js';
import { AbandonOperation } from '../../provisioning/commands/abandon-operation.js';
import { RetryOperation } from '../../provisioning/commands/retry-operation.js';
import { OperationListRepository } from '../../provisioning/operation-list.repository.js';
import { sendPage } from '../shared/paging.js';
import { CurrentActor, PagedBy, Requires } from '../shared/route-access.js';
import { AbandonBody, OperationsQuery, ReasonBody } from './operations.dto.js';
import { presentAttempt, presentOperation } from './present-operator.js';
import type { OperationHistoryResource, OperationResource } from './operator-resources.js';

/** What operators look at comes newest first. */
export const NEWEST_FIRST = 'created_at ..; order=desc';

/** What is being done at providers, and what an operator may do about it. */
@ApiTags('operator')
@Controller('admin/operations')
export class AdminOperationsController {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly operations: OperationListRepository,
    private readonly retryOperation: RetryOperation,
    private readonly abandonOperation: AbandonOperation,
  ) {}

  /** The operations of all apps, newest first. */
  @Get()
  @PagedBy('created_at', 'id')
  @Requires('admin')
  async list(
    @Query() query: OperationsQuery,
    @Headers('range') range: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OperationResource[]> {
    const tx = this.db.manager;
    const filter = { ...query, late: query.late === 'true', stuck: query.stuck === 'true' };
    const asked = parseRange(range ?? NEWEST_FIRST, ['created_at', 'id']);
    const page = await this.operations.list(tx, filter, asked, this.clock.now());
    const places = await this.operations.placesOf(
      tx,
      page.items.map(({ id }) => id),
    );
    const items = page.items.map((one) => presentOperation(one, places.get(one.id)));
    return sendPage(reply, page, 'created_at, id', items);
  }

  /** One operation with its calls: what was sent and what came back, masked. */
  @Get(':operation')
  @Requires('admin')
  show(@Param('operation') id: string): Promise<OperationHistoryResource> {
    return this.history(id);
  }

  /** Makes the next call now. Where a worker is at it, or it is due already, nothing changes. */
  @Post(':operation/retry')
  @HttpCode(200)
  @Requires('admin')
  async retry(
    @CurrentActor() actor: Actor,
    @Param('operation') identity: string,
    @Body() body: ReasonBody,
  ): Promise<OperationHistoryResource> {
    const { id } = await this.operations.get(this.db.manager, identity);
    await this.retryOperation.run(actor, id, body.reason);
    return this.history(id);
  }

  /**
   * Gives an operation up. A creation ends for its customer at once, and the provider is asked to delete until it
   * confirms; a plan change is taken back until the provider confirms the old plan. A delete, a clean-up or such a way
   * back ends without that only with `without_confirmation`, and leaves a finding.
   */
  @Post(':operation/abandon')
  @HttpCode(200)
  @Requires('admin')
  async abandon(
    @CurrentActor() actor: Actor,
    @Param('operation') identity: string,
    @Body() body: AbandonBody,
  ): Promise<OperationHistoryResource> {
    const { id } = await this.operations.get(this.db.manager, identity);
    await this.abandonOperation.run(actor, id, body.reason, body.without_confirmation ?? false);
    return this.history(id);
  }

  private async history(id: string): Promise<OperationHistoryResource> {
    const tx = this.db.manager;
    const operation = await this.operations.get(tx, id);
    const places = await this.operations.placesOf(tx, [operation.id]);
    const attempts = await this.operations.listAttempts(tx, operation.id);
    return {
      ...presentOperation(operation, places.get(operation.id)),
      attempts: attempts.map(presentAttempt),
    };
  }
}
