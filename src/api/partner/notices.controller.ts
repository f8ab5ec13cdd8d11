import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { PostNotice } from '../../addons/commands/post-notice.js';
import { CurrentProvider, ForProvider, type CallingProvider } from '../shared/route-access.js';
import { NoticeBody } from './notice.dto.js';

@ApiTags('for providers')
@Controller('addons/:addon/notices')
export class PartnerNoticesController {
  constructor(private readonly postNotice: PostNotice) {}

  /** A provider tells the holders of one of its add-ons something, or that it is over. Repeating it changes nothing. */
  @Post()
  @HttpCode(204)
  @ForProvider()
  async post(
    @CurrentProvider() provider: CallingProvider,
    @Param('addon') addon: string,
    @Body() body: NoticeBody,
  ): Promise<void> {
    await this.postNotice.run(provider, addon, {
      key: body.key,
      severity: body.severity,
      message: body.message,
      cleared: body.cleared ?? false,
    });
  }
}
