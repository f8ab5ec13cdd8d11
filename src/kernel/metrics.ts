import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What `/metrics` shows, in Prometheus text format. */
@Injectable()
export class Metrics {
  readonly registry = new Registry();

  readonly requests = new Histogram({
    name: 'souk_http_request_seconds',
    help: 'Time to answer HTTP requests, by route and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [this.registry],
  });

  readonly jobs = new Counter({
    name: 'souk_jobs_total',
    help: 'Jobs handled, by name and outcome.',
    labelNames: ['job', 'outcome'],
    registers: [this.registry],
  });

  readonly providerCalls = new Histogram({
    name: 'souk_provider_call_seconds',
    help: 'Calls to providers, by service, call and verdict.',
    labelNames: ['service', 'call', 'verdict'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25],
    registers: [this.registry],
  });

  readonly operationsOpen = new Gauge({
    name: 'souk_operations_open',
    help: 'Operations that are not finished, by type and state.',
    labelNames: ['type', 'state'],
    registers: [this.registry],
  });

  readonly providerCircuits = new Gauge({
    name: 'souk_provider_circuit',
    help: 'Circuits of providers: 0 closed, 1 half open, 2 open.',
    labelNames: ['service'],
    registers: [this.registry],
  });

  readonly paused = new Gauge({
    name: 'souk_paused',
    help: 'What an operator has paused.',
    labelNames: ['scope', 'target'],
    registers: [this.registry],
  });

  readonly outboxRows = new Gauge({
    name: 'souk_outbox_rows',
    help: 'Rows waiting for the relay.',
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }
}
