import { randomUUID } from 'node:crypto';
import { v5 as uuidV5, validate } from 'uuid';

declare const brand: unique symbol;
/** A string that only stands for one kind of thing, so an AppId cannot go where an AddonId is due. */
export type Branded<T extends string> = string & { readonly [brand]: T };

export type AccountId = Branded<'AccountId'>;
export type TokenId = Branded<'TokenId'>;
export type AppId = Branded<'AppId'>;
export type ReleaseId = Branded<'ReleaseId'>;
export type ProviderId = Branded<'ProviderId'>;
export type AddonServiceId = Branded<'AddonServiceId'>;
export type PlanId = Branded<'PlanId'>;
export type ManifestRevisionId = Branded<'ManifestRevisionId'>;
export type AddonId = Branded<'AddonId'>;
export type AttachmentId = Branded<'AttachmentId'>;
export type OperationId = Branded<'OperationId'>;

/** A fresh random id of the kind asked for. */
export function newId<T extends Branded<string>>(): T {
  return randomUUID() as string as T;
}

/** Names the catalogue's ids after its slugs, so that they are the same in every installation. */
const CATALOG_NAMESPACE = '0d5b6c1e-6f0e-4f55-9c6d-6a3a7e0c6f11';

/** An id that follows from a name: the same name gives the same id everywhere. */
export function namedId<T extends Branded<string>>(name: string): T {
  const id: string = uuidV5(name, CATALOG_NAMESPACE);
  return id as T;
}

/** Whether a path segment is an id rather than a name. */
export function isId(text: string): boolean {
  return validate(text);
}
