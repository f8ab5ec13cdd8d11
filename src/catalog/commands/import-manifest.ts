import { Injectable } from '@nestjs/common';
import type { Author } from '../../accounts/actor.js';
import { Database } from '../../kernel/db/database.js';
import { parseManifest } from '../manifest.js';
import { StoreManifest } from '../store-manifest.js';

/** Brings the manifest of a provider of this installation into the catalogue; the same one again changes nothing. */
@Injectable()
export class ImportManifest {
  constructor(
    private readonly db: Database,
    private readonly store: StoreManifest,
  ) {}

  /** The service's name. `bundled` providers belong to this installation and run beside it. */
  async run(author: Author, input: unknown, options: { bundled: boolean }): Promise<string> {
    const manifest = parseManifest(input);
    await this.db.transaction('manifest.import', async (tx) => {
      await this.store.lock(tx, manifest.id);
      await this.store.run(tx, author, manifest, options);
    });
    return manifest.id;
  }
}
