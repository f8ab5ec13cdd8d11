import { Injectable } from '@nestjs/common';
import { authorOf, mayUse, type Actor } from '../../accounts/actor.js';
import { Database } from '../../kernel/db/database.js';
import { AppRepository } from '../app.repository.js';
import { AppendRelease } from '../append-release.js';
import { appErrors } from '../apps.errors.js';
import { applyOwnChange, describeOwnChange, flatten, parseConfigChange } from '../environment.js';
import { ReadConfig } from '../read-config.js';
import { ReleaseRepository } from '../release.repository.js';

/** Sets and unsets the app's own config vars in one release. A change that changes nothing makes none. */
@Injectable()
export class SetConfigVars {
  constructor(
    private readonly db: Database,
    private readonly apps: AppRepository,
    private readonly releases: ReleaseRepository,
    private readonly appendRelease: AppendRelease,
    private readonly readConfig: ReadConfig,
  ) {}

  /**
   * All config vars after the change, which is an audited read of them; of a token that may not read, only those that
   * the change named.
   */
  async run(actor: Actor, identity: string, input: Record<string, unknown>): Promise<Record<string, string>> {
    const change = parseConfigChange(input);
    const { app, environment } = await this.db.transaction('config.set', async (tx) => {
      const app = await this.apps.lockForActor(tx, actor, identity);
      const before = await this.releases.environment(tx, app.id, app.releaseVersion);
      const reserved = (await this.releases.reserved(tx, app.id)).filter((name) => change.has(name));
      // Unsetting or repeating the value of what an add-on set would not last, so it is refused like any other change.
      if (reserved.length > 0)
        throw appErrors.config_var_reserved({
          message: `Cannot overwrite ${reserved.join(', ')}: set by an add-on. Choose another name, or destroy the add-on first.`,
          app: { name: app.name },
        });
      const { after, changes } = applyOwnChange(before, change);
      if (changes.set.length + changes.unset.length === 0) return { app, environment: before };
      const last = await this.releases.get(tx, app.id, String(app.releaseVersion));
      await this.appendRelease.run(tx, app, authorOf(actor), {
        description: describeOwnChange(changes),
        changes,
        environment: after,
        addonPlanNames: last.addonPlanNames,
      });
      return { app, environment: after };
    });
    const vars = flatten(environment);
    if (!mayUse(actor, 'config:read'))
      return Object.fromEntries(Object.entries(vars).filter(([name]) => change.has(name)));
    await this.readConfig.note(actor, app.id, app.releaseVersion);
    return vars;
  }
}
