import type { ServiceInvitation } from '../../catalog/manifest.entity.js';
import type { PushedManifest } from '../../catalog/commands/push-manifest.js';
import type { RevisionFact } from '../../catalog/manifest.repository.js';
import type { ReadManifest } from '../../catalog/read-manifests.js';
import type {
  InvitationResource,
  ManifestResource,
  ManifestRevisionResource,
} from './manifests.resources.js';

export function presentManifest(manifest: ReadManifest): ManifestResource {
  const { contents, isMaker, revision } = manifest;
  return { contents: { ...(isMaker ? contents : withoutSecrets(contents)), $base: revision } };
}

/** What a push answers: what a pull answers next, and with the first one the client secret. */
export function presentPushed(pushed: PushedManifest): ManifestResource {
  const { clientSecret } = pushed;
  return {
    ...presentManifest(pushed),
    ...(clientSecret === null ? {} : { client_secret: clientSecret.reveal() }),
  };
}

export function presentRevision(revision: RevisionFact): ManifestRevisionResource {
  return { id: revision.id, revision: revision.revision, created_at: revision.createdAt.toISOString() };
}

export function presentInvitation(invitation: ServiceInvitation): InvitationResource {
  return { email: invitation.email, created_at: invitation.createdAt.toISOString() };
}

/** A push of a manifest without its secrets keeps those that are in force, so this can be pushed again. */
function withoutSecrets(contents: Record<string, unknown>): Record<string, unknown> {
  const { password: _password, sso_salt: _salt, ...api } = contents.api as Record<string, unknown>;
  return { ...contents, api };
}
