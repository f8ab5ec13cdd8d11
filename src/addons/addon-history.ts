import { Injectable } from '@nestjs/common';
import type { Plan } from '../catalog/catalog.entity.js';
import type { Tx } from '../kernel/db/database.js';
import type { AccountId, AddonId, AppId } from '../kernel/ids.js';
import type { Cents } from '../kernel/money.js';
import type { AddonState } from './addon.entity.js';

/** Every state, plan and owner of an add-on with its times. Bills are made from these rows and nothing else. */
@Injectable()
export class AddonHistory {
  async enterState(tx: Tx, addonId: AddonId, state: AddonState, at: Date): Promise<void> {
    await close(tx, 'addon_state_periods', addonId, at);
    await tx.query('INSERT INTO addon_state_periods (addon_id, state, began_at) VALUES ($1, $2, $3)', [
      addonId,
      state,
      at,
    ]);
  }

  async enterOwner(tx: Tx, addonId: AddonId, appId: AppId, accountId: AccountId, at: Date): Promise<void> {
    await close(tx, 'addon_owner_periods', addonId, at);
    await tx.query(
      'INSERT INTO addon_owner_periods (addon_id, app_id, account_id, began_at) VALUES ($1, $2, $3, $4)',
      [addonId, appId, accountId, at],
    );
  }

  /** Charging at this plan's price begins. */
  async beginCharge(
    tx: Tx,
    addonId: AddonId,
    plan: Plan,
    cents: Cents,
    currency: string,
    at: Date,
  ): Promise<void> {
    await close(tx, 'addon_plan_periods', addonId, at);
    await tx.query(
      `INSERT INTO addon_plan_periods (addon_id, plan_id, price_cents, price_currency, began_at)
       VALUES ($1, $2, $3, $4, $5)`,
      [addonId, plan.id, cents.toString(), currency, at],
    );
  }

  /** Charging ends: deletion was asked for. */
  async endCharge(tx: Tx, addonId: AddonId, at: Date): Promise<void> {
    await close(tx, 'addon_plan_periods', addonId, at);
  }

  async endOwner(tx: Tx, addonId: AddonId, at: Date): Promise<void> {
    await close(tx, 'addon_owner_periods', addonId, at);
  }
}

type PeriodTable = 'addon_state_periods' | 'addon_plan_periods' | 'addon_owner_periods';

/** A clock that was set back must not make a period end before it began. */
async function close(tx: Tx, table: PeriodTable, addonId: AddonId, at: Date): Promise<void> {
  await tx.query(
    `UPDATE ${table} SET ended_at = greatest($2, began_at) WHERE addon_id = $1 AND ended_at IS NULL`,
    [addonId, at],
  );
}
