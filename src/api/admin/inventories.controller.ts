import { Body, Controller, Get, HttpCode, Param, Patch, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Actor } from '../../accounts/actor.js';
import { Database } from '../../kernel/db/database.js';
import { isId } from '../../kernel/ids.js';
import { CompareInventory } from '../../provisioning/inventory/compare-inventory.js';
import {
  InventoryRepository,
  type FindingId,
  type NamedInventory,
} from '../../provisioning/inventory/inventory.repository.js';
import { provisioningErrors } from '../../provisioning/provisioning.errors.js';
import { RemedyFinding } from '../../provisioning/inventory/remedy-finding.js';
import { SetOrphanRemoval } from '../../provisioning/inventory/set-orphan-removal.js';
import { CurrentActor, Requires } from '../shared/route-access.js';
import { InventorySettingsBody, RemedyBody } from './inventory.dto.js';

/** What providers hold, laid beside what we know. */
@ApiTags('operator')
@Controller('admin')
export class AdminInventoriesController {
  constructor(
    private readonly db: Database,
    private readonly inventories: InventoryRepository,
    private readonly compareInventory: CompareInventory,
    private readonly setOrphanRemoval: SetOrphanRemoval,
    private readonly remedyFinding: RemedyFinding,
  ) {}

  /** The providers that list their resources, and what the last comparison of each came to. */
  @Get('inventories')
  @Requires('admin')
  async list(): Promise<object[]> {
    return (await this.inventories.list(this.db.manager)).map(presentInventory);
  }

  /** Says whether orphans of this provider are removed by themselves. */
  @Patch('inventories/:provider')
  @Requires('admin')
  async settings(
    @CurrentActor() actor: Actor,
    @Param('provider') provider: string,
    @Body() body: InventorySettingsBody,
  ): Promise<object> {
    return presentInventory(await this.setOrphanRemoval.run(actor, provider, body.removes_orphans));
  }

  /** Compares now, and answers when it is done. */
  @Post('inventories/:provider/compare')
  @HttpCode(200)
  @Requires('admin')
  async compare(@Param('provider') provider: string): Promise<object> {
    const { providerId } = await this.inventories.getBySlug(this.db.manager, provider);
    await this.compareInventory.run(providerId);
    return presentInventory(await this.inventories.getBySlug(this.db.manager, provider));
  }

  /** Deletes an orphan at its provider, or the add-on of a phantom. */
  @Post('findings/:finding/remedy')
  @HttpCode(202)
  @Requires('admin')
  async remedy(
    @CurrentActor() actor: Actor,
    @Param('finding') finding: string,
    @Body() body: RemedyBody,
  ): Promise<object> {
    if (!isId(finding)) throw provisioningErrors.finding_not_found();
    await this.remedyFinding.run(actor, finding as FindingId, body.why);
    return { id: finding };
  }
}

function presentInventory(inventory: NamedInventory): object {
  return {
    provider: { id: inventory.providerId, name: inventory.slug },
    removes_orphans: inventory.removesOrphans,
    compared_at: inventory.comparedAt?.toISOString() ?? null,
    listed: inventory.listed,
    error: inventory.error,
    due_at: inventory.dueAt.toISOString(),
  };
}
