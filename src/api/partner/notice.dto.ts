import { IsBoolean, IsOptional, IsString, Matches, MaxLength } from 'class-validator';

/** `POST /addons/:addon/notices`, by providers. */
export class NoticeBody {
  /** The condition, e.g. `storage`. */
  @Matches(/^[a-z][a-z0-9_.-]{0,59}$/)
  key!: string;

  @Matches(/^(info|warning|critical)$/)
  severity!: 'info' | 'warning' | 'critical';

  @IsString()
  @MaxLength(2_000)
  message!: string;

  /** The condition is over. */
  @IsOptional()
  @IsBoolean()
  cleared?: boolean;
}
