import { setTimeout as wait } from 'node:timers/promises';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { EnsureOperator } from '../accounts/commands/ensure-operator.js';
import { Readiness } from '../api/ops/readiness.js';
import { createHttpApp } from '../api/shared/http-app.js';
import type { Config } from '../kernel/config.js';
import { createDataSource, migrate } from '../kernel/db/data-source.js';
import { JobQueue } from '../kernel/jobs/job-queue.js';
import type { KernelParts } from '../kernel/kernel.module.js';
import { NestLog } from '../kernel/log.js';
import { Relay } from '../kernel/outbox/relay.js';
import { AppModule } from './app.module.js';
import { serveDocs } from './openapi-document.js';
import { has } from './role.js';
import { Rounds } from './rounds.js';

/** A broker that runs. */
export interface Broker {
  app: INestApplicationContext;
  /** Drains: requests, jobs and calls that are under way end, nothing new begins. */
  stop: () => Promise<void>;
}

/** Brings the schema up to date and makes the first operator. */
export async function prepareDatabase(parts: KernelParts): Promise<void> {
  const source = await createDataSource(parts.config.databaseUrl.reveal(), [], 2).initialize();
  try {
    const done = await migrate(source);
    if (done.length > 0) parts.log.info({ migrations: done }, 'migrated');
  } finally {
    await source.destroy();
  }
}

/** Starts the parts that the role asks for, in this process. `beforeListening`: the last moment without requests. */
export async function startBroker(
  parts: KernelParts,
  beforeListening: (app: INestApplicationContext) => void = () => undefined,
): Promise<Broker> {
  const { config, log } = parts;
  await prepareDatabase(parts);
  const module = AppModule.with(parts);
  const http = has(config.role, 'api') ? await createHttpApp(module, log) : null;
  const app =
    http ??
    (await NestFactory.createApplicationContext(module, { logger: new NestLog(log), abortOnError: false }));
  const stop = async () => {
    if (http !== null) {
      app.get(Readiness).beginDraining();
      await wait(config.drainMs);
    }
    const source = app.get(DataSource);
    await app.close();
    await source.destroy();
  };
  try {
    if (http !== null) serveDocs(http);
    // Handlers register themselves while the modules initialise; a context without HTTP has done that by now.
    await http?.init();
    await startWork(app, config);
    beforeListening(app);
    await http?.listen({ host: config.host, port: config.port });
  } catch (error) {
    await stop();
    throw error;
  }
  return { app, stop };
}

async function startWork(app: INestApplicationContext, config: Config): Promise<void> {
  if (config.admin !== null) await app.get(EnsureOperator).run(config.admin);
  if (has(config.role, 'relay')) app.get(Relay).start();
  if (has(config.role, 'worker')) {
    await app.get(JobQueue).startWorker();
    app.get(Rounds).start();
  }
}
