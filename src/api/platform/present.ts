import type { Account, AccessToken } from '../../accounts/account.entity.js';
import type { Addon, AddonNotice, AddonState } from '../../addons/addon.entity.js';
import type { App, Release } from '../../apps/app.entity.js';
import { findRegion, type Region } from '../../apps/regions.js';
import type { Attachment } from '../../attachments/attachment.entity.js';
import { exportedNames } from '../../attachments/attachment-names.js';
import { planName, type AddonService, type Plan } from '../../catalog/catalog.entity.js';
import { namedId } from '../../kernel/ids.js';
import { centsToNumber } from '../../kernel/money.js';
import type {
  AccountResource,
  AddonResource,
  AddonServiceResource,
  AppResource,
  AttachmentResource,
  AuthorizationResource,
  NoticeResource,
  PlanResource,
  RegionResource,
  ReleaseResource,
} from './resources.js';
import type { Shape } from './shape.js';

/** Souk has no stacks, but clients read one. */
const STACK = { id: namedId('stack:souk'), name: 'souk' };
const GENERATION = { id: namedId('generation:cedar'), name: 'cedar' };

export function presentAccount(account: Account): AccountResource {
  return {
    id: account.id,
    email: account.email,
    name: account.name,
    created_at: account.createdAt.toISOString(),
    updated_at: account.updatedAt.toISOString(),
  };
}

export function presentApp(app: App, ownerEmail: string, publicUrl: string): AppResource {
  return {
    id: app.id,
    name: app.name,
    acm: false,
    archived_at: null,
    build_stack: STACK,
    stack: STACK,
    region: { id: findRegion(app.region)?.id ?? null, name: app.region },
    owner: { id: app.ownerId, email: ownerEmail },
    team: null,
    space: null,
    generation: GENERATION,
    git_url: null,
    web_url: `${publicUrl}/`,
    repo_size: null,
    slug_size: null,
    internal_routing: null,
    maintenance: app.maintenance,
    created_at: app.createdAt.toISOString(),
    updated_at: app.updatedAt.toISOString(),
    released_at: app.releasedAt?.toISOString() ?? null,
  };
}

export function presentRelease(release: Release, app: App): ReleaseResource {
  const at = release.createdAt.toISOString();
  return {
    id: release.id,
    version: release.version,
    description: release.description,
    status: 'succeeded',
    current: release.version === app.releaseVersion,
    user: { id: release.actorId, email: release.actorName },
    app: { id: app.id, name: app.name },
    slug: null,
    addon_plan_names: release.addonPlanNames,
    changes: release.changes,
    eligible_for_rollback: false,
    output_stream_url: null,
    created_at: at,
    updated_at: at,
  };
}

export function presentService(service: AddonService): AddonServiceResource {
  return {
    id: service.id,
    name: service.name,
    human_name: service.humanName,
    state: service.state,
    cli_plugin_name: service.cliPluginName,
    supports_multiple_installations: service.requires.includes('many_per_app'),
    supports_sharing: service.requires.includes('attachable'),
    created_at: service.createdAt.toISOString(),
    updated_at: service.updatedAt.toISOString(),
  };
}

export function presentPlan(plan: Plan): PlanResource {
  return {
    id: plan.id,
    name: planName(plan),
    human_name: plan.humanName,
    description: plan.description,
    default: plan.isDefault,
    price: {
      cents: centsToNumber(plan.priceCents),
      unit: 'month',
      contract: plan.priceContract,
      metered: plan.priceMetered,
      currency: plan.priceCurrency,
    },
    addon_service: { id: plan.addonServiceId, name: plan.addonService.name },
    state: plan.addonService.state,
    visible: plan.visible,
    space_default: false,
    installable_inside_private_network: false,
    installable_outside_private_network: true,
    compliance: plan.compliance,
    features: plan.features,
    created_at: plan.createdAt.toISOString(),
    updated_at: plan.updatedAt.toISOString(),
  };
}

/** What customers see: a delete that waits for a creation to end shows as the delete that it will be. */
function publicState(addon: Pick<Addon, 'state' | 'deleteRequestedAt'>): AddonState {
  return addon.deleteRequestedAt !== null && addon.state !== 'deprovisioned' ? 'deprovisioning' : addon.state;
}

/** `attachments`: those of this add-on, oldest first. */
export function presentAddon(
  addon: Addon,
  attachments: Attachment[],
  shape: Shape,
  webUrl: string | null = null,
): AddonResource {
  const service = addon.plan.addonService;
  const home = attachments.find((one) => one.appId === addon.appId);
  return {
    id: addon.id,
    name: addon.name,
    app: { id: addon.app.id, name: addon.app.name },
    addon_service: shape.expandService ? presentService(service) : { id: service.id, name: service.name },
    plan: shape.expandPlan ? presentPlan(addon.plan) : { id: addon.plan.id, name: planName(addon.plan) },
    billed_price: {
      cents: centsToNumber(addon.billedCents),
      unit: 'month',
      contract: addon.plan.priceContract,
      metered: addon.plan.priceMetered,
      currency: addon.billedCurrency,
    },
    billing_entity: { id: addon.app.id, name: addon.app.name, type: 'app' },
    config_vars: home === undefined ? [] : exportedNames(service, home.name),
    state: publicState(addon),
    provider_id: addon.providerId,
    provision_message: addon.provisionMessage,
    web_url: webUrl,
    actions: [],
    created_at: addon.createdAt.toISOString(),
    updated_at: addon.updatedAt.toISOString(),
  };
}

export function presentAttachment(
  attachment: Attachment,
  shape: Shape,
  webUrl: string | null = null,
): AttachmentResource {
  const { addon } = attachment;
  const service = addon.plan.addonService;
  return {
    id: attachment.id,
    name: attachment.name,
    addon: {
      id: addon.id,
      name: addon.name,
      app: { id: addon.app.id, name: addon.app.name },
      ...(shape.includePlan ? { plan: { id: addon.plan.id, name: planName(addon.plan) } } : {}),
    },
    app: { id: attachment.app.id, name: attachment.app.name },
    namespace: null,
    ...(shape.includeConfigVars ? { config_vars: exportedNames(service, attachment.name) } : {}),
    web_url: webUrl,
    log_input_url: null,
    created_at: attachment.createdAt.toISOString(),
    updated_at: attachment.updatedAt.toISOString(),
  };
}

export function presentNotice(notice: AddonNotice): NoticeResource {
  return {
    id: notice.id,
    key: notice.key,
    severity: notice.severity,
    message: notice.message,
    created_at: notice.createdAt.toISOString(),
    cleared_at: notice.clearedAt?.toISOString() ?? null,
  };
}

/** Regions are fixed; clients want times all the same. */
const REGIONS_SINCE = '2026-01-01T00:00:00.000Z';

export function presentRegion(region: Region): RegionResource {
  const [provider = '', cloudRegion = ''] = region.cloudName.split('::');
  return {
    id: region.id,
    name: region.name,
    description: region.name,
    country: region.name,
    locale: region.name,
    private_capable: false,
    provider: { name: provider, region: cloudRegion },
    created_at: REGIONS_SINCE,
    updated_at: REGIONS_SINCE,
  };
}

/** `text`: the token itself, which only the answer to its creation holds. */
export function presentAuthorization(
  token: AccessToken,
  email: string,
  now: Date,
  text: string | null,
): AuthorizationResource {
  const expiresIn =
    token.expiresAt === null ? null : Math.round((token.expiresAt.getTime() - now.getTime()) / 1000);
  return {
    id: token.id,
    description: token.description,
    scope: token.scopes,
    access_token: { id: token.id, token: text ?? '[shown once, at its creation]', expires_in: expiresIn },
    user: { id: token.accountId, email },
    created_at: token.createdAt.toISOString(),
    updated_at: token.createdAt.toISOString(),
  };
}
