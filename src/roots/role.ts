import type { Role } from '../kernel/config.js';

/** Whether a process of this role does a part of the work. `providers` alone does none of the broker's. */
export function has(role: Role, part: 'api' | 'worker' | 'relay' | 'providers'): boolean {
  return role === 'all' || role === part;
}
