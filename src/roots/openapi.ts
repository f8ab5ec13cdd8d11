import 'reflect-metadata';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { removeEngine } from '../../providers/engines/index.js';
import { createHttpApp } from '../api/shared/http-app.js';
import { readSettings } from '../kernel/config.js';
import { createLogger } from '../kernel/log.js';
import { SILENT } from '../kernel/progress.js';
import { AppModule } from './app.module.js';
import { bringUp } from './bring-up.js';
import { prepareDatabase } from './broker.js';
import { openApiDocument } from './openapi-document.js';

/** `npm run openapi`: writes docs/openapi.json, which a test compares with what the server serves. */
const home = mkdtempSync(join(tmpdir(), 'souk-openapi-'));
const settings = readSettings({ SOUK_HOME: home, SOUK_QUEUE: 'postgres', PORT: '0' }, home);
const { config, stopEngines } = await bringUp(settings, SILENT);
try {
  const parts = { config, log: createLogger('error') };
  await prepareDatabase(parts);
  const app = await createHttpApp(AppModule.with(parts), parts.log);
  await app.init();
  writeFileSync('docs/openapi.json', `${JSON.stringify(openApiDocument(app), null, 2)}\n`);
  const source = app.get(DataSource);
  await app.close();
  await source.destroy();
} finally {
  await stopEngines();
  await removeEngine({ home, kind: 'postgres', name: 'broker' });
  rmSync(home, { recursive: true, force: true });
}
