import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsString, MaxLength, ValidateIf, ValidateNested } from 'class-validator';

/** One config var of an add-on, under the provider's own name. */
export class AddonConfigVarBody {
  @IsString()
  @MaxLength(255)
  name!: string;

  /** null unsets it. */
  @ValidateIf((one: AddonConfigVarBody) => one.value !== null)
  @IsString()
  value!: string | null;
}

/** `PATCH /addons/:addon/config`. */
export class SetAddonConfigBody {
  @IsArray()
  @ArrayMaxSize(200)
  @ValidateNested({ each: true })
  @Type(() => AddonConfigVarBody)
  config!: AddonConfigVarBody[];
}

export class AddonConfigVarResource {
  name!: string;
  value!: string;
}
