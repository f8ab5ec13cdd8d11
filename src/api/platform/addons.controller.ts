import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../accounts/actor.js';
import { kernelErrors } from '../../kernel/errors.js';
import { DestroyAddon } from '../../provisioning/commands/destroy-addon.js';
import { ProvisionAddon } from '../../provisioning/commands/provision-addon.js';
import { SettleOperation } from '../../provisioning/settle-operation.js';
import { CurrentActor, PagedBy, Requires } from '../shared/route-access.js';
import { AddonViews } from './addon-views.js';
import { CreateAddonBody, ResolveAddonBody } from './bodies.dto.js';
import type { AddonResource, NoticeResource } from './resources.js';
import { RequestShape, type Shape } from './shape.js';
import { ConfirmationBody, confirmationOf } from './sharing.dto.js';

@ApiTags('add-ons')
@Controller()
export class PlatformAddonsController {
  constructor(
    private readonly views: AddonViews,
    private readonly provisionAddon: ProvisionAddon,
    private readonly destroyAddon: DestroyAddon,
    private readonly settle: SettleOperation,
  ) {}

  /** All add-ons of the caller. */
  @Get('addons')
  @PagedBy('name', 'id')
  @Requires('addons:read')
  list(
    @CurrentActor() actor: Actor,
    @RequestShape() shape: Shape,
    @Headers('range') range: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AddonResource[]> {
    return this.views.list(actor, null, shape, range, reply);
  }

  /** The add-ons that an app owns or has attached. */
  @Get('apps/:app/addons')
  @PagedBy('name', 'id')
  @Requires('addons:read')
  listOfApp(
    @CurrentActor() actor: Actor,
    @Param('app') app: string,
    @RequestShape() shape: Shape,
    @Headers('range') range: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AddonResource[]> {
    return this.views.list(actor, app, shape, range, reply);
  }

  /**
   * Creates an add-on. Where the provider answers at once the add-on comes back provisioned; otherwise it is
   * `provisioning` and goes on by itself.
   */
  @Post('apps/:app/addons')
  @Requires('addons:write')
  async create(
    @CurrentActor() actor: Actor,
    @Param('app') app: string,
    @Body() body: CreateAddonBody,
    @RequestShape() shape: Shape,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AddonResource> {
    const addonId = await this.provisionAddon.run(actor, {
      app,
      plan: planOf(body.plan),
      name: body.name ?? null,
      attachmentName: body.attachment?.name ?? null,
      options: body.config ?? {},
    });
    return this.views.one(await this.settle.creation(addonId), shape, reply);
  }

  /** One add-on, by name or id. */
  @Get('addons/:addon')
  @Requires('addons:read')
  async show(
    @CurrentActor() actor: Actor,
    @Param('addon') addon: string,
    @RequestShape() shape: Shape,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AddonResource> {
    return this.views.one(await this.views.find(actor, addon, null), shape, reply, actor);
  }

  /** One add-on that an app owns or has attached, by name or id. */
  @Get('apps/:app/addons/:addon')
  @Requires('addons:read')
  async showOfApp(
    @CurrentActor() actor: Actor,
    @Param('app') app: string,
    @Param('addon') addon: string,
    @RequestShape() shape: Shape,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AddonResource> {
    return this.views.one(await this.views.find(actor, addon, app), shape, reply, actor);
  }

  /**
   * Deletes an add-on: its config vars leave the apps at once, and its data with them for good. Where other apps share
   * it, this needs `force` or `confirm`.
   */
  @Delete('apps/:app/addons/:addon')
  @Requires('addons:write')
  async destroy(
    @CurrentActor() actor: Actor,
    @Param('app') app: string,
    @Param('addon') addon: string,
    @Body() body: ConfirmationBody,
    @RequestShape() shape: Shape,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AddonResource> {
    const addonId = await this.destroyAddon.run(actor, app, addon, confirmationOf(body));
    return this.views.one(await this.settle.soon(addonId), shape, reply);
  }

  /** The add-ons that a typed identity may mean. */
  @Post('actions/addons/resolve')
  @HttpCode(200)
  @Requires('addons:read')
  resolve(
    @CurrentActor() actor: Actor,
    @Body() body: ResolveAddonBody,
    @RequestShape() shape: Shape,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AddonResource[]> {
    return this.views.resolve(actor, body.addon, body.app ?? null, shape, reply);
  }

  /** What the provider has to say about an add-on, newest first. */
  @Get('addons/:addon/notices')
  @Requires('addons:read')
  notices(@CurrentActor() actor: Actor, @Param('addon') addon: string): Promise<NoticeResource[]> {
    return this.views.notices(actor, addon);
  }
}

/** Clients send the plan as a text or as `{name}`. */
export function planOf(plan: unknown): string {
  const name = typeof plan === 'object' && plan !== null && 'name' in plan ? plan.name : plan;
  if (typeof name !== 'string' || name === '')
    throw kernelErrors.invalid_params({
      message: 'plan must be "service:plan", or an object with that as its name.',
    });
  return name;
}
