import { namedId, type Branded } from '../kernel/ids.js';

/** A region as apps name it, and the cloud form that providers are told (partner contract, part b). */
export interface Region {
  id: Branded<'RegionId'>;
  name: string;
  cloudName: string;
}

const CLOUD_NAMES: Record<string, string> = {
  us: 'amazon-web-services::us-east-1',
  eu: 'amazon-web-services::eu-west-1',
  frankfurt: 'amazon-web-services::eu-central-1',
  oregon: 'amazon-web-services::us-west-2',
  tokyo: 'amazon-web-services::ap-northeast-1',
  virginia: 'amazon-web-services::us-east-1',
  sydney: 'amazon-web-services::ap-southeast-2',
  singapore: 'amazon-web-services::ap-southeast-1',
};

export const REGIONS: readonly Region[] = Object.entries(CLOUD_NAMES).map(([name, cloudName]) => ({
  id: namedId(`region:${name}`),
  name,
  cloudName,
}));

export const DEFAULT_REGION = 'us';

/** The region called so, by name or id; undefined where there is none. */
export function findRegion(identity: string): Region | undefined {
  return REGIONS.find((region) => region.name === identity || region.id === identity);
}
