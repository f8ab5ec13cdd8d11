import { Injectable } from '@nestjs/common';
import { mayUse, type Actor } from '../accounts/actor.js';
import type { Tx } from '../kernel/db/database.js';
import type { AccountId, AddonServiceId } from '../kernel/ids.js';
import { catalogErrors } from './catalog.errors.js';
import { AddonService, type ServiceState } from './catalog.entity.js';
import type { Standing } from './lifecycle.js';
import { ServiceInvitation, ServiceMaker } from './manifest.entity.js';

const INVITATIONS_MAX = 1_000;

/** Who is what to a service: its makers and whom they invited. */
@Injectable()
export class ServiceAccessRepository {
  async standingOf(tx: Tx, actor: Actor, serviceId: AddonServiceId): Promise<Standing> {
    if (await this.isMaker(tx, actor.accountId, serviceId)) return 'maker';
    if (actor.isOperator) return 'operator';
    return (await this.isInvited(tx, actor.email, serviceId)) ? 'invited' : 'anyone';
  }

  async isMaker(tx: Tx, accountId: AccountId, serviceId: AddonServiceId): Promise<boolean> {
    return tx.existsBy(ServiceMaker, { addonServiceId: serviceId, accountId });
  }

  async addMaker(tx: Tx, serviceId: AddonServiceId, accountId: AccountId, at: Date): Promise<void> {
    await tx.insert(ServiceMaker, { addonServiceId: serviceId, accountId, createdAt: at });
  }

  /**
   * The service of this slug, for those who publish it: its makers, and operators with the scope `admin`. For anybody
   * else there is no such service here.
   */
  async getPublished(
    tx: Tx,
    actor: Actor,
    slug: string,
  ): Promise<{ service: AddonService; standing: Standing }> {
    const service = await tx.findOneBy(AddonService, { name: slug });
    const isMaker = service !== null && (await this.isMaker(tx, actor.accountId, service.id));
    if (service === null || !(isMaker || mayUse(actor, 'admin')))
      throw catalogErrors.service_not_found({
        message: `Couldn't find a service "${slug.slice(0, 60)}" of yours; push its manifest to claim that id.`,
      });
    return { service, standing: isMaker ? 'maker' : 'operator' };
  }

  /** Locks the service's row, so that its stage is the same until the end of the transaction. */
  async lockState(tx: Tx, id: AddonServiceId): Promise<ServiceState> {
    const [row]: { state: ServiceState }[] = await tx.query(
      'SELECT state FROM addon_services WHERE id = $1 FOR UPDATE',
      [id],
    );
    if (row === undefined) throw catalogErrors.service_not_found();
    return row.state;
  }

  /** False: this address was invited already. */
  async invite(tx: Tx, invitation: ServiceInvitation): Promise<boolean> {
    const rows: unknown[] = await tx.query(
      `INSERT INTO service_invitations (addon_service_id, email, account_id, created_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT DO NOTHING RETURNING email`,
      [invitation.addonServiceId, invitation.email, invitation.accountId, invitation.createdAt],
    );
    return rows.length === 1;
  }

  /** Whether there was such an invitation. */
  async withdraw(tx: Tx, serviceId: AddonServiceId, email: string): Promise<boolean> {
    const result = await tx.delete(ServiceInvitation, {
      addonServiceId: serviceId,
      email: email.toLowerCase(),
    });
    return result.affected === 1;
  }

  /** By address, at most 1,000. */
  async listInvitations(tx: Tx, serviceId: AddonServiceId): Promise<ServiceInvitation[]> {
    return tx.find(ServiceInvitation, {
      where: { addonServiceId: serviceId },
      order: { email: 'ASC' },
      take: INVITATIONS_MAX,
    });
  }

  private async isInvited(tx: Tx, email: string, serviceId: AddonServiceId): Promise<boolean> {
    return tx.existsBy(ServiceInvitation, { addonServiceId: serviceId, email: email.toLowerCase() });
  }
}
