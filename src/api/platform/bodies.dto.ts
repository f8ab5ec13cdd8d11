import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsDefined,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { PlainText } from '../shared/plain-text.js';

/** `POST /apps`. */
export class CreateAppBody {
  /** 3 to 30 lower-case letters, digits and dashes; left out, Souk makes one up. */
  @IsOptional()
  @IsString()
  @MaxLength(100)
  name?: string;

  /** Name or id of a region. */
  @IsOptional()
  @IsString()
  region?: string;
}

/** `PATCH /apps/:app`. */
export class UpdateAppBody {
  @ValidateIf((_body, value) => value !== undefined)
  @IsString()
  @MaxLength(100)
  name?: string;

  @ValidateIf((_body, value) => value !== undefined)
  @IsBoolean()
  maintenance?: boolean;
}

export class AttachmentName {
  /** The name under which the add-on is attached, e.g. `PRIMARY`. */
  @IsOptional()
  @IsString()
  @MaxLength(128)
  name?: string;
}

/** `POST /apps/:app/addons`. */
export class CreateAddonBody {
  /** `service`, `service:plan`, or an object with that `name`: clients send both forms. */
  @ApiProperty({
    oneOf: [
      { type: 'string', example: 'souk-postgresql:essential-0' },
      { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
    ],
  })
  @IsDefined({ message: 'plan is missing: send "service" or "service:plan"' })
  plan!: unknown;

  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => AttachmentName)
  attachment?: AttachmentName;

  /** Options for the provider; the CLI's bare flags arrive as true. */
  @IsOptional()
  @IsObject()
  config?: Record<string, unknown>;

  /** A name of its own for the add-on, unique in this Souk. */
  @IsOptional()
  @IsString()
  @MaxLength(200)
  name?: string;
}

/** `POST /actions/addons/resolve`. */
export class ResolveAddonBody {
  /** Name, id, attachment name, config var name, service, or `app::attachment`. */
  @IsString()
  @MaxLength(300)
  addon!: string;

  @IsOptional()
  @IsString()
  app?: string | null;
}

/** `POST /actions/addon-attachments/resolve`. */
export class ResolveAttachmentBody {
  @IsString()
  @MaxLength(300)
  addon_attachment!: string;

  @IsOptional()
  @IsString()
  app?: string | null;
}

/** `POST /oauth/authorizations`. */
export class CreateAuthorizationBody {
  @IsOptional()
  @IsString()
  @MaxLength(200)
  @PlainText()
  description?: string;

  /** What the token may do; left out: what the token may that asks. */
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(20)
  @IsString({ each: true })
  scope?: string[];

  /** Seconds; left out: as long as the token that asks. None lasts longer than that one. */
  @IsOptional()
  @IsInt()
  @Min(60)
  @Max(10 * 365 * 86_400)
  expires_in?: number;
}
