/** A set of Debian packages from which programs run without being installed. */
export interface DebianRecipe {
  name: string;
  suite: string;
  /** The package of the program and those of every library it loads, the C library and its loader included. */
  packages: string[];
  /** Below the unpacked root; run with --version, it proves that no library is missing. */
  proofs: string[];
}

const OPENSSL_TRIXIE = ['libc6', 'libssl3t64', 'libzstd1', 'zlib1g'];
const KERBEROS = [
  'libgssapi-krb5-2',
  'libkrb5-3',
  'libk5crypto3',
  'libkrb5support0',
  'libcom-err2',
  'libkeyutils1',
];

/** Servers that speak Redis's protocol, best first. */
export const REDIS_RECIPES: DebianRecipe[] = [
  {
    name: 'valkey',
    suite: 'trixie',
    packages: [
      ...['valkey-server', 'valkey-tools', ...OPENSSL_TRIXIE],
      ...['libatomic1', 'liblzf1', 'libjemalloc2', 'libstdc++6', 'libgcc-s1', 'libsystemd0', 'libcap2'],
    ],
    proofs: ['usr/bin/valkey-server'],
  },
  {
    // Debian 12's redis-tools holds the server: redis-check-rdb is the same program under another name.
    name: 'redis',
    suite: 'bookworm',
    packages: [
      ...['redis-tools', 'redis-server', 'libc6', 'libssl3', 'libatomic1', 'liblzf1', 'libjemalloc2'],
      ...['libstdc++6', 'libgcc-s1', 'libsystemd0', 'libcap2', 'libgcrypt20', 'libgpg-error0'],
      ...['liblz4-1', 'liblzma5', 'libzstd1'],
    ],
    proofs: ['usr/bin/redis-server'],
  },
];

/** psql, pg_dump, pg_restore and pg_basebackup 17. */
export const PG_CLIENT_RECIPE: DebianRecipe = {
  name: 'pg-client',
  suite: 'trixie',
  packages: [
    ...['postgresql-client-17', 'libpq5', ...OPENSSL_TRIXIE, ...KERBEROS],
    ...['libreadline8t64', 'libtinfo6', 'liblz4-1', 'libxxhash0', 'libldap2', 'libsasl2-2'],
  ],
  proofs: ['psql', 'pg_dump', 'pg_restore', 'pg_basebackup'].map(
    (tool) => `usr/lib/postgresql/17/bin/${tool}`,
  ),
};
