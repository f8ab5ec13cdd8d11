import { loopbackAddresses } from './ports.js';

/** Room for the broker, its providers and their tests beside customers' databases; overridden by settings. */
const DEFAULTS: Record<string, string> = {
  max_connections: '200',
  shared_buffers: '128MB',
  // A follower or a backup can then be taken of any cluster without a restart.
  wal_level: 'replica',
  max_wal_senders: '10',
  max_replication_slots: '10',
  password_encryption: 'scram-sha-256',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] ',
  lc_messages: 'C',
  // The checkpoint of a new database's copy would otherwise fill the log.
  log_checkpoints: 'off',
};

/** Only a power cut costs data: what a commit wrote is with the kernel, so a killed server loses nothing. */
const UNSAFE: Record<string, string> = { fsync: 'off', full_page_writes: 'off' };

/** The text of souk.conf, which postgresql.conf includes; ALTER SYSTEM still goes above it. */
export function renderConfig(port: number, settings: Record<string, string>, unsafeFast: boolean): string {
  const all: Record<string, string> = {
    ...DEFAULTS,
    ...(unsafeFast ? UNSAFE : {}),
    ...settings,
    port: String(port),
    listen_addresses: loopbackAddresses().join(','),
    // Clients come by TCP; a socket's path would be too long in a deep home.
    unix_socket_directories: '',
  };
  return Object.entries(all)
    .map(([key, value]) => `${checkedKey(key)} = ${quote(value)}\n`)
    .join('');
}

function checkedKey(key: string): string {
  if (!/^[a-z_][a-z0-9_.]*$/i.test(key)) throw new Error(`"${key}" is no name of a PostgreSQL setting.`);
  return key;
}

function quote(value: string): string {
  if (/[\n\r\0]/.test(value)) throw new Error('A PostgreSQL setting has to fit on one line.');
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
