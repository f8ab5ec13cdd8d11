/** One source of packages as the machine's own apt has it. */
export interface AptSource {
  uri: string;
  suites: string[];
  components: string[];
  /** The keyring file, where the source names one. */
  signedBy: string | null;
}

/** Debian's own suites; a third party's source has others, or brings its own keyring. */
const DEBIAN_SUITE =
  /^(bullseye|bookworm|trixie|forky|sid|oldoldstable|oldstable|stable|testing|unstable)(-updates)?$/;

/** Reads the deb822 form (*.sources). */
export function parseDeb822(text: string): AptSource[] {
  const lines = text.split('\n').filter((line) => !line.startsWith('#'));
  return lines
    .join('\n')
    .split(/\n\s*\n/)
    .flatMap((paragraph) => {
      const fields = new Map<string, string>();
      for (const [, key, value] of paragraph.matchAll(/^([A-Za-z-]+):((?:.*)(?:\n[ \t].*)*)/gm)) {
        if (key !== undefined && value !== undefined) fields.set(key.toLowerCase(), value.trim());
      }
      const words = (key: string): string[] => (fields.get(key) ?? '').split(/\s+/).filter(Boolean);
      if (!words('types').includes('deb') || /^(no|false|off)$/i.test(fields.get('enabled') ?? 'yes'))
        return [];
      return words('uris').map((uri) => ({
        uri,
        suites: words('suites'),
        components: words('components'),
        signedBy: keyringFile(fields.get('signed-by')),
      }));
    });
}

/** Reads the one-line form (*.list). */
export function parseList(text: string): AptSource[] {
  return text.split('\n').flatMap((line) => {
    const [, options = '', uri, suite, components = ''] =
      /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line) ?? [];
    if (uri === undefined || suite === undefined) return [];
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1];
    return [
      {
        uri,
        suites: [suite],
        components: components.split(/\s+/).filter(Boolean),
        signedBy: keyringFile(signedBy),
      },
    ];
  });
}

/** Signed-By may also hold a fingerprint or a whole key; only a file is of use here. */
function keyringFile(value: string | undefined): string | null {
  return value?.split(/[\s,]+/).find((word) => word.startsWith('/')) ?? null;
}

/** The machine's mirrors of Debian itself, in its own order. */
export function debianMirrors(sources: AptSource[]): AptSource[] {
  const mirrors = sources.filter(
    ({ uri, suites, components, signedBy }) =>
      /^(https?|mirror(\+\w+)?|tor\+https?|file|copy):/.test(uri) &&
      components.includes('main') &&
      suites.some((suite) => DEBIAN_SUITE.test(suite)) &&
      (signedBy === null || signedBy.includes('debian-archive')),
  );
  return mirrors.filter(({ uri }, index) => mirrors.findIndex((other) => other.uri === uri) === index);
}
