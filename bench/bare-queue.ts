import { createPostgresBackend, Queue, withBackend, Worker, type Job } from 'bullmq';
import { Redis } from 'ioredis';
import type { Rig } from './rig.js';

const NAME = 'bare';

/** The baseline: a job is put on a queue of BullMQ and processed by a worker that does nothing with it. */
export class BareQueue {
  private readonly waiting = new Map<string, () => void>();
  private count = 0;

  private constructor(
    /** The engine that holds the queue: the one that Souk's queue is on. */
    readonly on: string,
    private readonly queue: Queue,
    private readonly connections: Redis[],
  ) {}

  private worker: Worker | null = null;

  static async open(rig: Rig, concurrency: number): Promise<BareQueue> {
    const { redis } = rig;
    // A worker's connection waits for as long as it takes; BullMQ demands it.
    const connections =
      redis === null ? [] : [1, 2].map(() => new Redis(redis.url, { maxRetriesPerRequest: null }));
    const onPostgres = { connectionString: rig.cluster.adminUrl, schema: NAME, migrate: true };
    const options = (index: number) => ({
      connection: connections[index] ?? ({ ...onPostgres, max: 6 } as unknown as Redis),
    });
    const { Queue: BackedQueue, Worker: BackedWorker } =
      redis === null
        ? (withBackend(createPostgresBackend) as unknown as { Queue: typeof Queue; Worker: typeof Worker })
        : { Queue, Worker };
    const queue = new BackedQueue(NAME, options(0));
    const bare = new BareQueue(redis === null ? 'PostgreSQL' : 'Redis', queue, connections);
    bare.worker = new BackedWorker(NAME, (job: Job) => bare.process(job), { ...options(1), concurrency });
    await bare.worker.waitUntilReady();
    return bare;
  }

  /** Adds a job; over when it is being processed. */
  async roundTrip(): Promise<void> {
    const jobId = `bare-${(this.count += 1)}`;
    const processed = new Promise<void>((resolve) => this.waiting.set(jobId, resolve));
    await this.queue.add('bare', { id: jobId }, { jobId, removeOnComplete: { count: 5_000 } });
    await processed;
  }

  async close(): Promise<void> {
    await this.worker?.close();
    await this.queue.close();
    for (const connection of this.connections) connection.disconnect();
  }

  private process(job: Job): Promise<void> {
    this.waiting.get(job.id ?? '')?.();
    this.waiting.delete(job.id ?? '');
    return Promise.resolve();
  }
}
