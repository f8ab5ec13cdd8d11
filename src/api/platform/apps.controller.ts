import { Body, Controller, Delete, Get, Headers, Inject, Param, Patch, Post, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { AccountRepository } from '../../accounts/account.repository.js';
import type { Actor } from '../../accounts/actor.js';
import { AppRepository } from '../../apps/app.repository.js';
import type { App } from '../../apps/app.entity.js';
import { CreateApp } from '../../apps/commands/create-app.js';
import { UpdateApp } from '../../apps/commands/update-app.js';
import { REGIONS } from '../../apps/regions.js';
import { CONFIG, type Config } from '../../kernel/config.js';
import { Database } from '../../kernel/db/database.js';
import { kernelErrors } from '../../kernel/errors.js';
import { parseRange } from '../../kernel/range.js';
import { DestroyApp } from '../../provisioning/commands/destroy-app.js';
import { sendPage } from '../shared/paging.js';
import { CurrentActor, PagedBy, Requires } from '../shared/route-access.js';
import { CreateAppBody, UpdateAppBody } from './bodies.dto.js';
import { presentApp, presentRegion } from './present.js';
import type { AppResource, RegionResource } from './resources.js';
import { ConfirmationBody, confirmationOf } from './sharing.dto.js';

@ApiTags('apps')
@Controller()
export class PlatformAppsController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly db: Database,
    private readonly accounts: AccountRepository,
    private readonly apps: AppRepository,
    private readonly createApp: CreateApp,
    private readonly updateApp: UpdateApp,
    private readonly destroyApp: DestroyApp,
  ) {}

  /** The apps that the caller owns or collaborates on. */
  @Get(['apps', 'users/~/apps'])
  @PagedBy('name', 'id')
  @Requires('apps:read')
  async list(
    @CurrentActor() actor: Actor,
    @Headers('range') range: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AppResource[]> {
    const page = await this.apps.listForActor(this.db.manager, actor, parseRange(range, ['name', 'id']));
    const owners = page.items.map(({ ownerId }) => ownerId);
    const emails = await this.accounts.emailsOf(this.db.manager, [...new Set(owners)]);
    return sendPage(
      reply,
      page,
      'id, name',
      page.items.map((app) => presentApp(app, emails.get(app.ownerId) ?? '', this.config.publicUrl)),
    );
  }

  /** Creates an app with its first release. */
  @Post('apps')
  @Requires('apps:write')
  async create(@CurrentActor() actor: Actor, @Body() body: CreateAppBody): Promise<AppResource> {
    return this.present(
      await this.createApp.run(actor, { name: body.name ?? null, region: body.region ?? null }),
    );
  }

  /** One app, by name or id. */
  @Get('apps/:app')
  @Requires('apps:read')
  async show(@CurrentActor() actor: Actor, @Param('app') app: string): Promise<AppResource> {
    return this.present(await this.apps.getForActor(this.db.manager, actor, app));
  }

  /** Renames an app, which only its owner may, or sets its maintenance flag. */
  @Patch('apps/:app')
  @Requires('apps:write')
  async update(
    @CurrentActor() actor: Actor,
    @Param('app') app: string,
    @Body() body: UpdateAppBody,
  ): Promise<AppResource> {
    return this.present(await this.updateApp.run(actor, app, body));
  }

  /**
   * Destroys an app and deletes the add-ons that it owns. Only its owner may. Where other apps share one of them, this
   * needs `force` or `confirm`.
   */
  @Delete('apps/:app')
  @Requires('apps:write')
  async destroy(
    @CurrentActor() actor: Actor,
    @Param('app') app: string,
    @Body() body: ConfirmationBody,
  ): Promise<AppResource> {
    return this.present(await this.destroyApp.run(actor, app, confirmationOf(body)));
  }

  /** Souk runs no dynos, so an app never has any. */
  @Get(['apps/:app/dynos', 'apps/:app/formation'])
  @Requires('apps:read')
  async dynos(@CurrentActor() actor: Actor, @Param('app') app: string): Promise<object[]> {
    await this.apps.getForActor(this.db.manager, actor, app);
    return [];
  }

  /** No app is in a pipeline yet. */
  @Get('apps/:app/pipeline-couplings')
  @Requires('apps:read')
  async pipeline(@CurrentActor() actor: Actor, @Param('app') app: string): Promise<never> {
    await this.apps.getForActor(this.db.manager, actor, app);
    throw kernelErrors.not_found({ message: 'This app is not in a pipeline.' });
  }

  /** The regions that an app can be in. */
  @Get('regions')
  @Requires('catalog:read')
  regions(): RegionResource[] {
    return REGIONS.map(presentRegion);
  }

  private async present(app: App): Promise<AppResource> {
    const { email } = await this.accounts.get(this.db.manager, app.ownerId);
    return presentApp(app, email, this.config.publicUrl);
  }
}
