import { IsDefined, IsEmail, IsIn, IsObject, MaxLength } from 'class-validator';

/** `POST /api/v3/addons/:slug/manifests`. */
export class PushManifestBody {
  /** The manifest, `addon-manifest.json`; with the `$base` of the last pull or push. */
  @IsDefined({ message: 'contents is missing: send {"contents": the manifest}' })
  @IsObject({ message: 'contents must be the manifest, a JSON object' })
  contents!: Record<string, unknown>;
}

/** `PATCH /api/v3/addons/:slug` and `PATCH /admin/addon-services/:service`. */
export class MoveStageBody {
  /** The stage to move to. */
  @IsIn(['alpha', 'beta', 'ga', 'shutdown'])
  state!: 'alpha' | 'beta' | 'ga' | 'shutdown';
}

/** `POST /api/v3/addons/:slug/invitations`. */
export class InvitationBody {
  /** Of an account that there is or will be. */
  @IsEmail({ require_tld: false })
  @MaxLength(300)
  email!: string;
}
