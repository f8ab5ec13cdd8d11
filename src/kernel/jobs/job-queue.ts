import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { createPostgresBackend, Queue, UnrecoverableError, withBackend, Worker, type Job } from 'bullmq';
import { Redis } from 'ioredis';
import { CONFIG, type Config } from '../config.js';
import { LOGGER, type Logger } from '../log.js';
import { Metrics } from '../metrics.js';
import { JobRegistry } from './job-registry.js';

const QUEUE_NAME = 'souk';
/** Jobs at once in one worker process; each mostly waits for a provider. */
const CONCURRENCY = 16;

/** A job as the relay hands it over. */
export interface QueuedJob {
  id: string;
  name: string;
  payload: unknown;
}

/**
 * The queue: BullMQ on Redis or Valkey, or on PostgreSQL. It may lose everything at any moment; the reconcilers
 * find what was lost.
 */
@Injectable()
export class JobQueue implements BeforeApplicationShutdown, OnApplicationShutdown {
  private queue: Queue | null = null;
  private worker: Worker | null = null;
  private readonly connections: Redis[] = [];

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly log: Logger,
    private readonly registry: JobRegistry,
    private readonly metrics: Metrics,
  ) {}

  /** Puts jobs on the queue. A job id that the queue remembers is not added again. */
  async add(jobs: QueuedJob[]): Promise<void> {
    const queue = await this.open();
    await queue.addBulk(
      jobs.map((job) => ({
        name: job.name,
        data: job.payload,
        opts: {
          jobId: job.id,
          attempts: 5,
          backoff: { type: 'exponential', delay: 500 },
          removeOnComplete: { age: 600, count: 5_000 },
          removeOnFail: { age: 86_400, count: 5_000 },
        },
      })),
    );
  }

  /** Starts taking jobs in this process. */
  async startWorker(): Promise<void> {
    this.registry.assertComplete();
    const { Worker: BackedWorker } = this.classes();
    const worker = new BackedWorker(QUEUE_NAME, (job: Job) => this.process(job), {
      ...this.options(true),
      concurrency: CONCURRENCY,
    });
    worker.on('error', (error: Error) => this.log.warn({ err: error.message }, 'the queue is not reachable'));
    this.worker = worker;
    await worker.waitUntilReady();
  }

  /** Resolves when the queue answers. Used by /health/ready. */
  async ping(): Promise<void> {
    const queue = await this.open();
    await queue.getJobCounts('waiting');
  }

  /** How many jobs stand in each state. */
  async counts(): Promise<Record<string, number>> {
    return (await this.open()).getJobCounts('waiting', 'active', 'delayed', 'failed', 'prioritized');
  }

  /** Takes no new jobs and waits for those at work. */
  async stopWorker(): Promise<void> {
    const worker = this.worker;
    this.worker = null;
    await worker?.close();
  }

  /** Before the HTTP server closes: jobs that are at work end, and no other begins. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.stopWorker();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.queue?.close();
    for (const connection of this.connections) connection.disconnect();
  }

  private async process(job: Job): Promise<void> {
    const began = performance.now();
    const fields = { job: job.name, jobId: job.id, ...(job.data as Record<string, unknown>) };
    try {
      await this.registry.handle(job.name, job.data);
      this.log.info({ ...fields, ms: Math.round(performance.now() - began), outcome: 'done' }, 'job');
      this.metrics.jobs.inc({ job: job.name, outcome: 'done' });
    } catch (error) {
      const outcome = error instanceof UnrecoverableError ? 'failed' : 'will retry';
      this.log.error({ ...fields, err: error, ms: Math.round(performance.now() - began), outcome }, 'job');
      this.metrics.jobs.inc({ job: job.name, outcome: 'failed' });
      throw error;
    }
  }

  private async open(): Promise<Queue> {
    if (this.queue === null) {
      const { Queue: BackedQueue } = this.classes();
      const queue = new BackedQueue(QUEUE_NAME, this.options(false));
      queue.on('error', (error: Error) =>
        this.log.warn({ err: error.message }, 'the queue is not reachable'),
      );
      this.queue = queue;
    }
    return this.queue;
  }

  private classes(): { Queue: typeof Queue; Worker: typeof Worker } {
    if (this.config.queue === 'redis') return { Queue, Worker };
    return withBackend(createPostgresBackend) as unknown as { Queue: typeof Queue; Worker: typeof Worker };
  }

  private options(forWorker: boolean) {
    if (this.config.queue === 'postgres') {
      // A config object of its own: the backend sets search_path through the connection's options.
      const connection = {
        connectionString: this.config.databaseUrl.reveal(),
        schema: this.config.queuePrefix.replaceAll('-', '_'),
        migrate: true,
        max: forWorker ? 6 : 3,
      };
      return { connection: connection as unknown as Redis };
    }
    const url = this.config.redisUrl;
    if (url === null) throw new Error('SOUK_QUEUE is redis, but there is no Redis');
    const connection = new Redis(url.reveal(), {
      // BullMQ demands null for workers; a producer must fail fast, so that the relay can try again.
      maxRetriesPerRequest: forWorker ? null : 1,
      enableOfflineQueue: forWorker,
      retryStrategy: (times) => Math.min(50 * 2 ** times, 2_000),
      lazyConnect: false,
    });
    connection.on('error', (error: Error) => this.log.warn({ err: error.message }, 'Redis is not reachable'));
    this.connections.push(connection);
    return { connection, prefix: this.config.queuePrefix };
  }
}
