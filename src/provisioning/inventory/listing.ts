import { isResourceId, type Reply } from '../reply.js';

/** One resource, as a provider's inventory names it. */
export interface ListedResource {
  /** As the provider returned it when it made the resource. */
  id: string;
  /** The add-on's uuid; null where the provider keeps none. */
  uuid: string | null;
  plan: string | null;
}

/** A provider's whole list, or why it could not be had. A part of a list proves nothing about what is missing in it. */
export type Listing = { kind: 'complete'; resources: ListedResource[] } | { kind: 'incomplete'; why: string };

/** One page of a list. */
export interface ListingPage {
  resources: ListedResource[];
  /** The cursor of the next page; null: this was the last. */
  next: string | null;
}

const CURSOR_MAX = 500;
const NAME_MAX = 255;

/** A page in a reply's body, or null where it is not one: anything unreadable makes the whole list unusable. */
export function parseListingPage(reply: Reply): ListingPage | null {
  if (reply.kind !== 'answered' || reply.status !== 200 || !isObject(reply.body)) return null;
  const { resources, next = null } = reply.body;
  if (!Array.isArray(resources)) return null;
  if (next !== null && (typeof next !== 'string' || next === '' || next.length > CURSOR_MAX)) return null;
  const parsed: ListedResource[] = [];
  for (const one of resources) {
    const resource = parseResource(one);
    if (resource === 'unreadable') return null;
    if (resource !== 'leaving') parsed.push(resource);
  }
  return { resources: parsed, next };
}

/** `leaving`: the provider is deleting it already, so it is nobody's concern. */
function parseResource(value: unknown): ListedResource | 'unreadable' | 'leaving' {
  if (!isObject(value)) return 'unreadable';
  const id = typeof value.id === 'number' ? String(value.id) : value.id;
  if (!isResourceId(id)) return 'unreadable';
  if (value.state === 'deleting') return 'leaving';
  return { id, uuid: isName(value.uuid) ? value.uuid : null, plan: isName(value.plan) ? value.plan : null };
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= NAME_MAX && !value.includes('\0');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
