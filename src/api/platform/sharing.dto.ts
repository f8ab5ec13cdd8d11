import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean, IsDefined, IsOptional, IsString, MaxLength } from 'class-validator';
import type { Confirmation } from '../../attachments/shared-addons.js';
import { kernelErrors } from '../../kernel/errors.js';

/** Goes with the deletion of an add-on or an app, where other apps share what it ends. */
export class ConfirmationBody {
  /** Destroy it although other apps share it. */
  @IsOptional()
  @IsBoolean()
  force?: boolean;

  /** Means the same: name or id of the app that owns what is destroyed. */
  @IsOptional()
  @IsString()
  @MaxLength(100)
  confirm?: string;
}

export function confirmationOf(body: ConfirmationBody | undefined): Confirmation {
  return { force: body?.force === true, confirm: body?.confirm ?? null };
}

const IDENTITY = {
  oneOf: [
    { type: 'string' },
    {
      type: 'object',
      properties: { name: { type: 'string' }, id: { type: 'string' } },
    },
  ],
};

/** `POST /addon-attachments`. */
export class AttachAddonBody {
  /** Name or id of an add-on, or an object with one of them. */
  @ApiProperty(IDENTITY)
  @IsDefined({ message: 'addon is missing: send its name or id' })
  addon!: unknown;

  /** Name or id of the app that it is attached to, or an object with one of them. */
  @ApiProperty(IDENTITY)
  @IsDefined({ message: 'app is missing: send its name or id' })
  app!: unknown;

  /** Left out: a default name that is free on the app. */
  @IsOptional()
  @IsString()
  @MaxLength(128)
  name?: string;

  /** The app's name or id: an attachment that has the name may be replaced. */
  @IsOptional()
  @IsString()
  @MaxLength(100)
  confirm?: string;

  /** A credential of the add-on, as `credential:NAME`. There are none yet but the default one. */
  @IsOptional()
  @IsString()
  @MaxLength(200)
  namespace?: string;
}

/** `POST /apps/:app/collaborators`. */
export class AddCollaboratorBody {
  /** E-mail address or id of an account. */
  @IsString()
  @MaxLength(320)
  user!: string;

  /** Clients send it; Souk sends no mail. */
  @IsOptional()
  @IsBoolean()
  silent?: boolean;
}

/** A name or id that clients send as a text, or as an object with either. */
export function identityIn(value: unknown, field: string): string {
  const { id, name } =
    typeof value === 'object' && value !== null ? (value as { id?: unknown; name?: unknown }) : {};
  const identity = typeof value === 'string' ? value : (id ?? name);
  if (typeof identity !== 'string' || identity === '')
    throw kernelErrors.invalid_params({
      message: `${field} must be a name or an id, or an object with one.`,
    });
  return identity;
}
