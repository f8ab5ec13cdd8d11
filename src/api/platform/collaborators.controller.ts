import { Body, Controller, Delete, Get, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { AccountRepository } from '../../accounts/account.repository.js';
import type { Actor } from '../../accounts/actor.js';
import { AppRepository } from '../../apps/app.repository.js';
import { CollaboratorRepository } from '../../apps/collaborator.repository.js';
import { AddCollaborator } from '../../apps/commands/add-collaborator.js';
import { RemoveCollaborator } from '../../apps/commands/remove-collaborator.js';
import { Database } from '../../kernel/db/database.js';
import { CurrentActor, Requires } from '../shared/route-access.js';
import { presentCollaborator, presentOwner } from './present-collaborator.js';
import type { CollaboratorResource } from './resources.js';
import { AddCollaboratorBody } from './sharing.dto.js';

@ApiTags('collaborators')
@Controller('apps/:app/collaborators')
export class PlatformCollaboratorsController {
  constructor(
    private readonly db: Database,
    private readonly accounts: AccountRepository,
    private readonly apps: AppRepository,
    private readonly collaborators: CollaboratorRepository,
    private readonly addCollaborator: AddCollaborator,
    private readonly removeCollaborator: RemoveCollaborator,
  ) {}

  /** Who may use the app: its owner first, then its collaborators. */
  @Get()
  @Requires('apps:read')
  async list(@CurrentActor() actor: Actor, @Param('app') identity: string): Promise<CollaboratorResource[]> {
    const tx = this.db.manager;
    const app = await this.apps.getForActor(tx, actor, identity);
    const { email } = await this.accounts.get(tx, app.ownerId);
    const others = await this.collaborators.listOfApp(tx, app.id);
    return [presentOwner(app, email), ...others.map((one) => presentCollaborator(one, app))];
  }

  /** Lets an account use the app. Only its owner may. */
  @Post()
  @Requires('apps:write')
  async add(
    @CurrentActor() actor: Actor,
    @Param('app') identity: string,
    @Body() body: AddCollaboratorBody,
  ): Promise<CollaboratorResource> {
    const { collaborator, app } = await this.addCollaborator.run(actor, identity, body.user);
    return presentCollaborator(collaborator, app);
  }

  /** Takes an account's access away, by e-mail address or id. The owner may, and whoever leaves by themselves. */
  @Delete(':collaborator')
  @Requires('apps:write')
  async remove(
    @CurrentActor() actor: Actor,
    @Param('app') identity: string,
    @Param('collaborator') collaborator: string,
  ): Promise<CollaboratorResource> {
    const removed = await this.removeCollaborator.run(actor, identity, collaborator);
    return presentCollaborator(removed.collaborator, removed.app);
  }
}
