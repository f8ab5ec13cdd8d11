import { createHash } from 'node:crypto';
import type { SsoForm } from '../../sso/sso.js';

/** A page with the headers that it must be sent with. */
export interface Page {
  html: string;
  headers: Record<string, string>;
}

const SCRIPT = 'document.forms[0].submit()';
const STYLE = 'body{font:16px/1.5 sans-serif;margin:4rem auto;max-width:36rem;padding:0 1rem}';

/** Posts the form by itself; a person whose browser runs no scripts presses the button. */
export function ssoFormPage({ action, params }: SsoForm): Page {
  const inputs = Object.entries(params).map(
    ([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`,
  );
  const body = `<form method="post" action="${escaped(action)}">${inputs.join('')}
<p>Opening the dashboard…</p><button>Continue</button></form><script>${SCRIPT}</script>`;
  // Browsers hold redirects of the answer to form-action too, and dashboards often live on another host than sign-on.
  const { origin } = new URL(action);
  // A host may hold what ends a directive.
  const own = /[;,']/.test(origin) ? '' : `${origin} `;
  const formAction = `form-action ${own}https:`;
  return pageOf('Opening the dashboard', body, [formAction, `script-src ${sourceOf(SCRIPT)}`]);
}

/** Says why nothing opens. */
export function ssoRefusalPage({ id, message }: { id: string; message: string }): Page {
  const body = `<p>${escaped(message)}</p><p><small>Error ID: ${escaped(id)}</small></p>`;
  return pageOf('This dashboard was not opened', body, ["form-action 'none'"]);
}

function pageOf(title: string, body: string, policy: string[]): Page {
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title><style>${STYLE}</style></head>
<body><h1>${title}</h1>${body}</body></html>
`;
  return {
    html,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': [
        "default-src 'none'",
        `style-src ${sourceOf(STYLE)}`,
        "base-uri 'none'",
        "frame-ancestors 'none'",
        ...policy,
      ].join('; '),
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    },
  };
}

function sourceOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
