import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Actor } from '../../accounts/actor.js';
import { CreateAccount } from '../../accounts/commands/create-account.js';
import { AuditChain, type ChainReport } from '../../audit/audit-chain.js';
import { RotateKeys } from '../../encryption/rotate-keys.js';
import { CurrentActor, Requires } from '../shared/route-access.js';
import { CreateAccountBody, RotateKeysBody } from './admin.dto.js';

/** For operators. Every route needs a token with the scope `admin` of an operator's account. */
@ApiTags('operator')
@Controller('admin')
export class AdminController {
  constructor(
    private readonly createAccount: CreateAccount,
    private readonly rotateKeys: RotateKeys,
    private readonly chain: AuditChain,
  ) {}

  /** Makes an account; the answer holds its first token, shown once. */
  @Post('accounts')
  @Requires('admin')
  async account(@CurrentActor() actor: Actor, @Body() body: CreateAccountBody): Promise<object> {
    const { account, text } = await this.createAccount.run(actor, {
      email: body.email,
      name: body.name ?? null,
    });
    return { id: account.id, email: account.email, token: text.reveal() };
  }

  /** One step of a key rotation: repeat without `new_key` until `left` is 0. */
  @Post('keys/rotate')
  @HttpCode(200)
  @Requires('admin')
  async rotate(@CurrentActor() actor: Actor, @Body() body: RotateKeysBody): Promise<object> {
    const step = await this.rotateKeys.step(actor, body.new_key ?? false);
    return { key_id: step.keyId, moved: step.moved, left: step.left };
  }

  /** Walks the audit trail's hash chain and says whether it is whole. */
  @Get('audit/verify')
  @Requires('admin')
  verify(): Promise<ChainReport> {
    return this.chain.verify();
  }
}
