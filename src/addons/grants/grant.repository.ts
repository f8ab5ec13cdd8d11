import { Injectable } from '@nestjs/common';
import { IsNull, MoreThan } from 'typeorm';
import type { Tx } from '../../kernel/db/database.js';
import type { AddonId, ProviderId } from '../../kernel/ids.js';
import { AddonGrant, AddonToken, type AddonTokenId } from './grant.entity.js';

/** The add-on that a grant or a token is for, with its provider. */
export interface GrantedAddon {
  addonId: AddonId;
  appId: string;
  /** Set once the add-on is gone. */
  removedAt: Date | null;
  providerId: ProviderId;
  /** Of the provider, and of its service. */
  slug: string;
}

/** A token with the add-on that it is for. */
export interface AddonTokenHolder extends GrantedAddon {
  tokenId: AddonTokenId;
  expiresAt: Date | null;
  revokedAt: Date | null;
}

const ADDON_COLUMNS = `a.id AS "addonId", a.app_id AS "appId", a.removed_at AS "removedAt",
  p.id AS "providerId", p.slug`;
const ADDON_JOINS = `JOIN addon_services s ON s.id = a.addon_service_id JOIN providers p ON p.id = s.provider_id`;

@Injectable()
export class GrantRepository {
  /** Takes the place of the add-on's grants that have expired. */
  async insertGrant(tx: Tx, grant: AddonGrant): Promise<void> {
    await tx.query('DELETE FROM addon_grants WHERE addon_id = $1 AND expires_at <= $2', [
      grant.addonId,
      grant.createdAt,
    ]);
    await tx.insert(AddonGrant, grant);
  }

  /**
   * Keeps the end of the grant's add-on, which revokes what is given, from coming between: it waits, or is over. Taken
   * first, as that end takes its locks in the same order; what is read afterwards is what it left.
   */
  async holdAddonOfGrant(tx: Tx, codeHash: Buffer): Promise<void> {
    await tx.query(
      'SELECT FROM addons WHERE id = (SELECT addon_id FROM addon_grants WHERE code_hash = $1) FOR KEY SHARE',
      [codeHash],
    );
  }

  /** The same for the add-on of a refresh token. */
  async holdAddonOfRefreshToken(tx: Tx, tokenHash: Buffer): Promise<void> {
    await tx.query(
      `SELECT FROM addons WHERE id = (SELECT addon_id FROM addon_tokens WHERE token_hash = $1 AND kind = 'refresh')
       FOR KEY SHARE`,
      [tokenHash],
    );
  }

  async findGranted(tx: Tx, codeHash: Buffer): Promise<GrantedAddon | null> {
    const rows: GrantedAddon[] = await tx.query(
      `SELECT ${ADDON_COLUMNS} FROM addon_grants g JOIN addons a ON a.id = g.addon_id ${ADDON_JOINS}
       WHERE g.code_hash = $1`,
      [codeHash],
    );
    return rows[0] ?? null;
  }

  /** Uses a grant up; false where it was used before or has expired. Of two at once, one gets true. */
  async useGrant(tx: Tx, codeHash: Buffer, at: Date): Promise<boolean> {
    const result = await tx.update(
      AddonGrant,
      { codeHash, usedAt: IsNull(), expiresAt: MoreThan(at) },
      { usedAt: at },
    );
    return result.affected === 1;
  }

  /** Takes the place of the add-on's tokens that have expired. */
  async insertToken(tx: Tx, token: AddonToken): Promise<void> {
    await tx.query('DELETE FROM addon_tokens WHERE addon_id = $1 AND expires_at <= $2', [
      token.addonId,
      token.createdAt,
    ]);
    await tx.insert(AddonToken, token);
  }

  async findToken(tx: Tx, kind: AddonToken['kind'], hash: Buffer): Promise<AddonTokenHolder | null> {
    const rows: AddonTokenHolder[] = await tx.query(
      `SELECT t.id AS "tokenId", t.expires_at AS "expiresAt", t.revoked_at AS "revokedAt", ${ADDON_COLUMNS}
       FROM addon_tokens t JOIN addons a ON a.id = t.addon_id ${ADDON_JOINS}
       WHERE t.token_hash = $1 AND t.kind = $2`,
      [hash, kind],
    );
    return rows[0] ?? null;
  }

  /** Ends all access to an add-on, also what is not exchanged yet. How many tokens worked until now. */
  async revokeAll(tx: Tx, addonId: AddonId, at: Date): Promise<number> {
    await tx.delete(AddonGrant, { addonId });
    const result = await tx.update(AddonToken, { addonId, revokedAt: IsNull() }, { revokedAt: at });
    return result.affected ?? 0;
  }
}
