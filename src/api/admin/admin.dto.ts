import { IsBoolean, IsEmail, IsOptional, IsString, MaxLength } from 'class-validator';
import { PlainText } from '../shared/plain-text.js';

/** `POST /admin/accounts`. */
export class CreateAccountBody {
  @IsEmail({ require_tld: false })
  email!: string;

  @IsOptional()
  @IsString()
  @MaxLength(200)
  @PlainText()
  name?: string;
}

/** `POST /admin/keys/rotate`. */
export class RotateKeysBody {
  /** Make a new key first; left out, rows are only moved under the key that is current. */
  @IsOptional()
  @IsBoolean()
  new_key?: boolean;
}
