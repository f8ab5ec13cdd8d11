import { IsBoolean, IsIn, IsOptional, IsString, Matches, MaxLength } from 'class-validator';

/** `POST /addons/:addon/notices`, by providers. */
export class NoticeBody {
  /** The condition, e.g. `storage`. */
  @Matches(/^[a-z][a-z0-9_.-]{0,59}$/, {
    message: 'key must be 1 to 60 lower-case letters, digits, dots, dashes or underscores',
  })
  key!: string;

  @IsIn(['info', 'warning', 'critical'])
  severity!: 'info' | 'warning' | 'critical';

  @IsString()
  @MaxLength(2_000)
  message!: string;

  /** The condition is over. */
  @IsOptional()
  @IsBoolean()
  cleared?: boolean;
}
