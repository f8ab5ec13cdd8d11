/** A manifest as the partner portal gives it. */
export class ManifestResource {
  /** The manifest, with its revision as `$base`; without its secrets for operators. */
  contents!: object;
  /** For the exchange of grants. Shown once, in the answer to the first push. */
  client_secret?: string;
}

export class ManifestRevisionResource {
  id!: string;
  /** `$base` of that manifest. */
  revision!: number;
  created_at!: string;
}

export class InvitationResource {
  email!: string;
  created_at!: string;
}
