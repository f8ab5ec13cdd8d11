/** The parts of the API's answers that tests read. */
export interface AddonBody {
  id: string;
  name: string;
  state: string;
  provider_id: string | null;
  provision_message: string | null;
  config_vars: string[];
  app: { id: string; name: string };
  plan: { id: string; name: string; price?: { cents: number } };
  addon_service: { id: string; name: string };
  web_url: string | null;
}

export interface AppBody {
  id: string;
  name: string;
  owner: { id: string; email: string };
  web_url: string;
}

export interface ReleaseBody {
  id: string;
  version: number;
  description: string;
  current: boolean;
  user: { email: string };
  changes: { set: string[]; unset: string[] };
  addon_plan_names: string[];
}

export interface AttachmentBody {
  id: string;
  name: string;
  addon: { id: string; name: string };
  app: { id: string; name: string };
  config_vars?: string[];
  web_url: string | null;
}

export interface CollaboratorBody {
  id: string;
  role: string;
  app: { id: string; name: string };
  user: { id: string; email: string };
}
