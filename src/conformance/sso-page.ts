/** A page that posts the form by itself, as the dashboard of a platform does. */
export function ssoPage(url: string, fields: Record<string, string>): string {
  const inputs = Object.entries(fields).map(
    ([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`,
  );
  return [
    '<!doctype html><meta charset="utf-8"><title>Signing on</title>',
    `<form method="post" action="${escape(url)}">`,
    ...inputs,
    '<button>Sign on</button></form>',
    '<script>document.forms[0].submit()</script>',
  ].join('\n');
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
