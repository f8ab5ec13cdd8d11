import { Injectable } from '@nestjs/common';
import type { ProviderAccess } from '../../catalog/catalog.repository.js';
import { ProviderClient } from '../clients/provider-client.js';
import { parseListingPage, type ListedResource, type Listing } from './listing.js';

/** More than this is not compared in one piece: the list is held in memory. */
const RESOURCES_MAX = 200_000;
/** A cursor that leads nowhere new would lead there for ever. */
const PAGES_MAX = 10_000;

/** Reads a provider's whole list of resources, page by page. */
@Injectable()
export class ListResources {
  constructor(private readonly client: ProviderClient) {}

  async run(access: ProviderAccess): Promise<Listing> {
    const resources: ListedResource[] = [];
    const seen = new Set<string>();
    let cursor: string | null = null;
    for (let pages = 0; pages < PAGES_MAX; pages += 1) {
      const reply = await this.client.inventory(access, cursor);
      const page = parseListingPage(reply);
      if (page === null)
        return {
          kind: 'incomplete',
          why: reply.kind === 'unanswered' ? reply.why : `status ${reply.status}, and no page of a list`,
        };
      resources.push(...page.resources);
      if (resources.length > RESOURCES_MAX)
        return { kind: 'incomplete', why: `the list has more than ${RESOURCES_MAX} resources` };
      if (page.next === null) return { kind: 'complete', resources };
      if (seen.has(page.next)) return { kind: 'incomplete', why: 'the list goes round in a circle' };
      seen.add(page.next);
      cursor = page.next;
    }
    return { kind: 'incomplete', why: `the list has more than ${PAGES_MAX} pages` };
  }
}
