import 'reflect-metadata';
import { Controller, Get, Inject, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import pg from 'pg';

/** The baseline: a NestJS route that reads one row and sends it, with nothing around it. */
@Controller()
class BareController {
  constructor(@Inject(pg.Pool) private readonly pool: pg.Pool) {}

  @Get('row')
  async row(): Promise<unknown> {
    const { rows } = await this.pool.query('SELECT value FROM bare WHERE id = $1', [1]);
    return (rows[0] as { value: unknown } | undefined)?.value;
  }
}

const pool = new pg.Pool({ connectionString: process.env.BARE_DATABASE_URL, max: 20 });

@Module({ controllers: [BareController], providers: [{ provide: pg.Pool, useValue: pool }] })
class BareModule {}

await pool.query('CREATE TABLE IF NOT EXISTS bare (id int PRIMARY KEY, value jsonb)');
await pool.query('INSERT INTO bare VALUES (1, $1) ON CONFLICT DO NOTHING', [process.env.BARE_VALUE]);
const app = await NestFactory.create<NestFastifyApplication>(BareModule, new FastifyAdapter(), {
  logger: ['error'],
});
await app.listen(Number(process.env.PORT), '127.0.0.1');
process.once('SIGTERM', () => void app.close().then(() => pool.end()));
