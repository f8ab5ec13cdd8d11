import { Controller, Get, Header, Redirect, Res } from '@nestjs/common';
import { ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Metrics } from '../../kernel/metrics.js';
import { Public } from '../shared/route-access.js';
import { Gauges } from './gauges.js';
import { Readiness } from './readiness.js';

/** For whoever runs the server and what watches it. */
@ApiTags('operating')
@Controller()
export class OpsController {
  constructor(
    private readonly readiness: Readiness,
    private readonly metrics: Metrics,
    private readonly gauges: Gauges,
  ) {}

  /** To the page that says what there is. */
  @Get()
  @Public()
  @Redirect('/docs', 302)
  @ApiResponse({ status: 302, description: 'To `/docs`.' })
  home(): void {
    // The address is all that there is to answer.
  }

  /** The process is alive. */
  @Get('health/live')
  @Public()
  live(): object {
    return { status: 'ok' };
  }

  /** 200 when migrations, queue and bundled providers are up; else 503 with what is not. */
  @Get(['health/ready', 'health'])
  @Public()
  @ApiResponse({ status: 503, description: 'Something is not up, or it is stopping.' })
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    const report = await this.readiness.report();
    void reply.status(report.ready ? 200 : 503);
    return { status: report.ready ? 'ok' : 'not ready', checks: report.checks };
  }

  /** Prometheus text format. */
  @Get('metrics')
  @Public()
  @ApiProduces('text/plain')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  async text(): Promise<string> {
    await this.gauges.measure();
    return this.metrics.registry.metrics();
  }
}
