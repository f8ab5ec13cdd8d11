import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Client } from 'pg';
import { CONFIG, type Config } from '../config.js';
import { LOGGER, type Logger } from '../log.js';

const RECONNECT_MS = 500;

interface Listener {
  onNotice: (payload: string) => void;
  /** Notices may have been missed: the connection was lost, or has just come (back). */
  onGap: () => void;
}

/** PostgreSQL's NOTIFY, on one connection of its own for the process, opened again whenever it breaks. */
@Injectable()
export class Notifications implements OnApplicationShutdown {
  private readonly listeners = new Map<string, Listener>();
  private client: Client | null = null;
  private connecting: Promise<void> | null = null;
  private retry: NodeJS.Timeout | null = null;
  private stopped = false;
  private live = false;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /** Whether every notice that is sent now will be heard. */
  get isLive(): boolean {
    return this.live;
  }

  /** One listener for each channel; called before anything is missed, or told by `onGap`. */
  listen(channel: string, listener: Listener): void {
    this.listeners.set(channel, listener);
    const { client } = this;
    if (client !== null && this.live) void this.subscribe(client, channel).catch(() => this.lost(client));
    else this.connect();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopped = true;
    if (this.retry !== null) clearTimeout(this.retry);
    await this.connecting;
    await this.client?.end();
  }

  private connect(): void {
    if (this.stopped || this.connecting !== null) return;
    this.connecting = this.open().finally(() => {
      this.connecting = null;
    });
  }

  private async open(): Promise<void> {
    const client = new Client({
      connectionString: this.config.databaseUrl.reveal(),
      application_name: 'souk-listen',
    });
    client.on('error', () => this.lost(client));
    client.on('end', () => this.lost(client));
    client.on('notification', ({ channel, payload }) => this.listeners.get(channel)?.onNotice(payload ?? ''));
    this.client = client;
    try {
      await client.connect();
      for (const channel of this.listeners.keys()) await this.subscribe(client, channel);
      this.live = this.client === client;
      this.tellOfGap();
    } catch (error) {
      this.log.warn(
        { err: error instanceof Error ? error.message : error },
        'PostgreSQL is not reachable for notices',
      );
      this.lost(client);
    }
  }

  private async subscribe(client: Client, channel: string): Promise<void> {
    await client.query(`LISTEN ${channel}`);
  }

  private lost(client: Client): void {
    if (this.client !== client) return;
    this.client = null;
    this.live = false;
    this.tellOfGap();
    if (this.stopped) return;
    this.retry = setTimeout(() => this.connect(), RECONNECT_MS);
    this.retry.unref();
  }

  private tellOfGap(): void {
    for (const { onGap } of this.listeners.values()) onGap();
  }
}
