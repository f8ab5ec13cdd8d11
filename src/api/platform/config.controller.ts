import { Body, Controller, Get, Headers, Param, Patch, Res } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../accounts/actor.js';
import { AppRepository } from '../../apps/app.repository.js';
import { SetConfigVars } from '../../apps/commands/set-config-vars.js';
import { ReadConfig } from '../../apps/read-config.js';
import { ReleaseRepository } from '../../apps/release.repository.js';
import { Database } from '../../kernel/db/database.js';
import { kernelErrors } from '../../kernel/errors.js';
import { parseRange } from '../../kernel/range.js';
import { sendPage } from '../shared/paging.js';
import { CurrentActor, PagedBy, Requires } from '../shared/route-access.js';
import { presentRelease } from './present.js';
import type { ReleaseResource } from './resources.js';

@ApiTags('config and releases')
@Controller('apps/:app')
export class PlatformConfigController {
  constructor(
    private readonly db: Database,
    private readonly apps: AppRepository,
    private readonly releases: ReleaseRepository,
    private readonly readConfig: ReadConfig,
    private readonly setConfigVars: SetConfigVars,
  ) {}

  /** The app's config vars, its own and those of its add-ons. The read is audited. */
  @Get('config-vars')
  @Requires('config:read')
  config(@CurrentActor() actor: Actor, @Param('app') app: string): Promise<Record<string, string>> {
    return this.readConfig.current(actor, app);
  }

  /** Sets (text) and unsets (null) config vars in one release; answers with all of them. */
  @Patch('config-vars')
  @Requires('config:write')
  @ApiBody({ schema: { type: 'object', additionalProperties: { type: 'string', nullable: true } } })
  async setConfig(
    @CurrentActor() actor: Actor,
    @Param('app') app: string,
    @Body() body: unknown,
  ): Promise<Record<string, string>> {
    if (typeof body !== 'object' || body === null || Array.isArray(body))
      throw kernelErrors.invalid_params({
        message: 'Send an object of config vars: {"NAME": "value", "OLD": null}.',
      });
    return this.setConfigVars.run(actor, app, body as Record<string, unknown>);
  }

  /** The releases of an app, oldest first. */
  @Get('releases')
  @PagedBy('version', 'id')
  @Requires('apps:read')
  async list(
    @CurrentActor() actor: Actor,
    @Param('app') identity: string,
    @Headers('range') range: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReleaseResource[]> {
    const app = await this.apps.getForActor(this.db.manager, actor, identity);
    const page = await this.releases.list(this.db.manager, app.id, parseRange(range, ['version', 'id']));
    return sendPage(
      reply,
      page,
      'id, version',
      page.items.map((release) => presentRelease(release, app)),
    );
  }

  /** One release, by version (`3`, `v3`) or id. */
  @Get('releases/:release')
  @Requires('apps:read')
  async show(
    @CurrentActor() actor: Actor,
    @Param('app') identity: string,
    @Param('release') release: string,
  ): Promise<ReleaseResource> {
    const app = await this.apps.getForActor(this.db.manager, actor, identity);
    return presentRelease(await this.releases.get(this.db.manager, app.id, release), app);
  }

  /** The config vars as they were in a release. The read is audited. */
  @Get('releases/:release/config-vars')
  @Requires('config:read')
  configOfRelease(
    @CurrentActor() actor: Actor,
    @Param('app') app: string,
    @Param('release') release: string,
  ): Promise<Record<string, string>> {
    return this.readConfig.ofRelease(actor, app, release);
  }
}
