/** What the Platform API answers with: the field names of Heroku's public schema, and nothing of ours. */

export class AccountResource {
  id!: string;
  email!: string;
  name!: string | null;
  created_at!: string;
  updated_at!: string;
}

export class AppResource {
  id!: string;
  name!: string;
  acm!: boolean;
  archived_at!: string | null;
  build_stack!: object;
  stack!: object;
  region!: object;
  owner!: object;
  team!: object | null;
  space!: object | null;
  generation!: object;
  git_url!: string | null;
  /** This Souk's first page: Souk runs no apps, so there is none of the app itself. */
  web_url!: string;
  repo_size!: number | null;
  slug_size!: number | null;
  internal_routing!: boolean | null;
  maintenance!: boolean;
  created_at!: string;
  updated_at!: string;
  released_at!: string | null;
}

export class ReleaseResource {
  id!: string;
  version!: number;
  description!: string;
  status!: string;
  current!: boolean;
  user!: object;
  app!: object;
  slug!: object | null;
  addon_plan_names!: string[];
  /** Souk's own: the names that this release set and unset. */
  changes!: object;
  /** Never yet: there is no rollback. */
  eligible_for_rollback!: boolean;
  output_stream_url!: string | null;
  created_at!: string;
  updated_at!: string;
}

export class AddonServiceResource {
  id!: string;
  name!: string;
  human_name!: string;
  state!: string;
  cli_plugin_name!: string | null;
  supports_multiple_installations!: boolean;
  supports_sharing!: boolean;
  created_at!: string;
  updated_at!: string;
}

/** A price in whole cents for each `unit`. */
export class PriceResource {
  cents!: number;
  unit!: string;
  contract!: boolean;
  metered!: boolean;
  currency!: string;
}

export class PlanResource {
  id!: string;
  /** `service:plan`. */
  name!: string;
  human_name!: string;
  description!: string;
  default!: boolean;
  price!: PriceResource;
  addon_service!: object;
  state!: string;
  visible!: boolean;
  space_default!: boolean;
  installable_inside_private_network!: boolean;
  installable_outside_private_network!: boolean;
  compliance!: string[];
  /** Souk's own: what the plan gives, e.g. `connections`. */
  features!: object;
  created_at!: string;
  updated_at!: string;
}

export class AddonResource {
  id!: string;
  name!: string;
  app!: object;
  addon_service!: object;
  plan!: object;
  billed_price!: PriceResource;
  billing_entity!: object;
  /** The config vars on the owning app. */
  config_vars!: string[];
  state!: string;
  provider_id!: string | null;
  provision_message!: string | null;
  /** Souk's own: what holds now, by the provider or about a pause. */
  notices?: NoticeResource[];
  /** Souk's own page that opens the dashboard. Of one add-on it holds a ticket: it works once, for 60 seconds. */
  web_url!: string | null;
  actions!: object[];
  created_at!: string;
  updated_at!: string;
}

export class AttachmentResource {
  id!: string;
  name!: string;
  addon!: object;
  app!: object;
  namespace!: string | null;
  config_vars?: string[];
  /** As an add-on's, and tells the provider which app the user came from. */
  web_url!: string | null;
  log_input_url!: string | null;
  created_at!: string;
  updated_at!: string;
}

export class NoticeResource {
  id!: string;
  key!: string;
  severity!: string;
  message!: string;
  created_at!: string;
  /** null while the condition lasts. */
  cleared_at!: string | null;
}

export class RegionResource {
  id!: string;
  name!: string;
  description!: string;
  country!: string;
  locale!: string;
  private_capable!: boolean;
  provider!: object;
  created_at!: string;
  updated_at!: string;
}

export class AuthorizationResource {
  id!: string;
  description!: string;
  scope!: string[];
  /** `token` is given once, in the answer to its creation. */
  access_token!: object;
  user!: object;
  created_at!: string;
  updated_at!: string;
}

export class CollaboratorResource {
  /** Of the owner: the account's id. */
  id!: string;
  app!: object;
  user!: object;
  /** `owner` or `collaborator`. */
  role!: string;
  created_at!: string;
  updated_at!: string;
}

/** A form that a browser posts to the provider. */
export class SsoResource {
  /** Always `post`. */
  method!: string;
  /** The provider's address. */
  action!: string;
  /** The form's fields, with tokens that providers accept for a few minutes. */
  params!: object;
}
