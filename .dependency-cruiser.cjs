// Imports point one way: each folder may use those below it, and nothing above.
const LAYERS = [
  'kernel',
  'conformance',
  'audit',
  'accounts',
  'apps',
  'catalog',
  'addons',
  'attachments',
  'sso',
  'provisioning',
  'encryption',
  'api',
  'roots',
  'cli',
];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...LAYERS.map((layer, index) => ({
      name: `${layer}-looks-down-only`,
      severity: 'error',
      comment: `src/${layer} may import what stands below it: ${LAYERS.slice(0, index).join(', ') || 'nothing'}.`,
      from: { path: `^src/${layer}/` },
      to: { path: `^src/(${LAYERS.slice(index + 1).join('|') || '-'})/` },
    })).filter((_, index) => index < LAYERS.length - 1),
    {
      name: 'broker-meets-providers-over-http',
      severity: 'error',
      comment:
        'The broker knows providers by HTTP alone; only what starts processes may use providers/engines.',
      from: { path: '^src/' },
      to: { path: '^providers/(?!engines/)' },
    },
    {
      name: 'engines-are-for-roots',
      severity: 'error',
      comment: 'Starting engines is the business of src/roots and of the commands that look after a machine.',
      from: { path: '^src/(?!roots/|cli/)' },
      to: { path: '^providers/' },
    },
    {
      name: 'providers-have-no-back-door',
      severity: 'error',
      comment: 'A bundled provider is a partner like any other: it imports nothing from the broker.',
      from: { path: '^providers/' },
      to: { path: '^src/' },
    },
    {
      name: 'engines-stand-alone',
      severity: 'error',
      comment: 'providers/engines imports nothing else of the project.',
      from: { path: '^providers/engines/' },
      to: { path: '^providers/(?!engines/)' },
    },
    {
      name: 'kit-stands-alone',
      severity: 'error',
      comment: 'providers/kit is for third parties too: it imports nothing else of the project.',
      from: { path: '^providers/kit/' },
      to: { path: '^providers/(?!kit/)' },
    },
    {
      name: 'no-tests-in-programs',
      severity: 'error',
      comment: 'What runs does not import what tests it.',
      from: { path: '^(src|providers|bench)/', pathNot: '\\.spec\\.ts$|(spec-support|spec-checkout)' },
      to: { path: '^test/|\\.spec\\.ts$' },
    },
    {
      name: 'no-circles',
      severity: 'error',
      comment: 'Two files that need each other are one thing.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'declared-dependencies-only',
      severity: 'error',
      comment: 'A package that is imported is named in package.json.',
      from: { path: '^(src|providers)/', pathNot: '\\.spec\\.ts$|(spec-support|spec-checkout)' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'unknown'] },
    },
    {
      name: 'all-resolved',
      severity: 'error',
      comment: 'An import that leads nowhere.',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/|^providers/kit/template/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.json'],
    },
  },
};
