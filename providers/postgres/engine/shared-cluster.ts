import { randomBytes } from 'node:crypto';
import format from 'pg-format';
import {
  Limiter,
  ProviderError,
  sqlState,
  type CrashPoints,
  type Database,
  type Draft,
  type Engine,
  type Logger,
  type ProvisionRequest,
  type Queryable,
  type Resource,
  type Session,
} from '../../kit/index.js';
import { type Plan, sayBytes, tempFileLimit } from '../plans.js';
import type { CapacityCheck } from './capacity.js';
import { asAdmin, type Cluster } from './cluster.js';
import { namesOf, quoteNames, randomNames, type TenantNames } from './names.js';
import { scramVerifier } from './scram.js';
import { TEMPLATE, TENANT_GROUP } from './template.js';
import { unblocked } from './unblocked.js';

/** More at once only slow each other down: the copies wait for the same log. */
const CREATES_AT_ONCE = 3;
const FOREIGN_LIMITS = { statementTimeoutMs: 30_000, lockTimeoutMs: 10_000 };
/** The second code comes when another session, of a program that was killed, makes it at this moment. */
const DUPLICATE_DATABASE = ['42P04', '23505'];
const DEPENDENT_OBJECTS = '2BP01';

export interface SharedClusterParts {
  cluster: Cluster;
  /** As superuser, in this program's own database. */
  admin: Database;
  /** For a look at what holds up a statement: never in line behind such statements. */
  watch: Database;
  plans: Plan[];
  capacity: CapacityCheck;
  crash: CrashPoints;
  log: Logger;
}

/** Plans as a database with its roles in a shared cluster. */
export class SharedClusterEngine implements Engine {
  readonly plans: string[];
  private readonly creates = new Limiter(CREATES_AT_ONCE);

  constructor(private readonly parts: SharedClusterParts) {
    this.plans = parts.plans.map(({ id }) => id);
  }

  draft(): Draft {
    return { facts: { ...randomNames() }, secrets: { password: randomBytes(24).toString('hex') } };
  }

  /** A wish that is not granted is refused, not passed over: who asks for a fork must not get an empty database. */
  async admit(tx: Queryable, { plan, options }: ProvisionRequest): Promise<void> {
    const [unknown] = Object.keys(options);
    if (unknown !== undefined)
      throw new ProviderError(
        422,
        'option_unknown',
        `There is no option "${unknown.slice(0, 100)}": this service takes no options.`,
      );
    await this.parts.capacity.admit(tx, this.plan(plan));
  }

  credentials({ facts, secrets }: Resource): Record<string, string> {
    const { login, database } = namesOf(facts);
    const { address } = this.parts.cluster;
    return { SOUK_POSTGRESQL_URL: `postgres://${login}:${secrets.password}@${address}/${database}` };
  }

  describe(plan: string): string {
    const { storageBytes, connections } = this.plan(plan);
    return `The database holds up to ${sayBytes(storageBytes)} and takes ${connections} connections.`;
  }

  async create(resource: Resource): Promise<void> {
    const { crash } = this.parts;
    const names = namesOf(resource.facts);
    const plan = this.plan(resource.plan);
    const password = resource.secrets.password ?? '';
    await this.creates.run(() =>
      this.exclusive(names, async (session) => {
        await createRoles(session, names, await scramVerifier(password), plan);
        crash.reach('create.after-roles');
        await createDatabase(session, names);
        crash.reach('create.after-database');
        await openDatabase(session, names, plan);
        crash.reach('create.after-open');
      }),
    );
  }

  /** A smaller plan needs the data to fit it. */
  async resize(resource: Resource, plan: string): Promise<void> {
    const { admin } = this.parts;
    const { database, login } = namesOf(resource.facts);
    const next = this.plan(plan);
    const { storageBytes, connections } = next;
    const [size] = await admin.query<{ bytes: string }>('SELECT pg_database_size($1::text) AS bytes', [
      database,
    ]);
    const bytes = Number(size?.bytes);
    if (bytes > storageBytes && storageBytes < this.plan(resource.plan).storageBytes)
      throw new ProviderError(
        422,
        'plan_too_small',
        `The database holds ${sayBytes(bytes)}, and ${plan} takes only ${sayBytes(storageBytes)}. ` +
          `Delete at least ${sayBytes(bytes - storageBytes)} and run VACUUM FULL, or choose a larger plan.`,
      );
    await admin.query(limitLogin(format.ident(login), next));
    // A closed database is in the middle of a quota change, which opens it when it is done.
    const open = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1 AND datconnlimit <> 0', [
      database,
    ]);
    if (open.length > 0)
      await admin.query(format('ALTER DATABASE %I CONNECTION LIMIT %s', database, connections));
  }

  async destroy(resource: Resource): Promise<void> {
    const { watch, log } = this.parts;
    const names = namesOf(resource.facts);
    await this.exclusive(names, (session) =>
      unblocked(watch, session, log, () => this.dropAll(session, names)),
    );
  }

  private async dropAll(session: Session, names: TenantNames): Promise<void> {
    const { crash } = this.parts;
    const [login] = await session.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [names.login]);
    // Else a client that reconnects at once could hold up the drop.
    if (login !== undefined) await session.query(format('ALTER ROLE %I NOLOGIN', names.login));
    crash.reach('destroy.after-lock-out');
    await session.query(format('DROP DATABASE IF EXISTS %I WITH (FORCE)', names.database));
    crash.reach('destroy.after-database');
    await this.dropRoles(session, names);
    crash.reach('destroy.after-roles');
  }

  /**
   * The lock is held by the very session that builds: when this program is killed, the server still finishes the
   * statement under way, and whoever comes next must wait for its end to see what it did.
   */
  private exclusive<T>({ database }: TenantNames, work: (session: Session) => Promise<T>): Promise<T> {
    return this.parts.admin.session(async (session) => {
      await session.query('SELECT pg_advisory_lock(hashtextextended($1, 1))', [database]);
      const value = await work(session);
      await session.query('SELECT pg_advisory_unlock(hashtextextended($1, 1))', [database]);
      return value;
    });
  }

  /** Another tenant may have granted something to these roles, of which it knows the names; that must not keep them. */
  private async dropRoles(session: Session, { database, login, owner }: TenantNames): Promise<void> {
    const roles = [login, owner, database];
    const drop = () =>
      session.query(`DROP ROLE IF EXISTS ${roles.map((name) => format.ident(name)).join(', ')}`);
    try {
      await drop();
    } catch (error) {
      if (sqlState(error) !== DEPENDENT_OBJECTS) throw error;
      await this.releaseRoles(session, roles);
      await drop();
    }
  }

  private async releaseRoles(session: Session, roles: string[]): Promise<void> {
    const holders = await session.query<{ database: string; names: string[] }>(
      `SELECT d.datname AS database, array_agg(DISTINCT r.rolname::text) AS names
       FROM pg_shdepend s
       JOIN pg_database d ON d.oid = s.dbid
       JOIN pg_roles r ON r.oid = s.refobjid AND s.refclassid = 'pg_authid'::regclass
       WHERE r.rolname = ANY ($1) GROUP BY d.datname`,
      [roles],
    );
    const { cluster, watch, log } = this.parts;
    for (const { database, names } of holders)
      await asAdmin(cluster, database, FOREIGN_LIMITS, (inside) =>
        unblocked(watch, inside, log, () =>
          inside.query(`DROP OWNED BY ${names.map((name) => format.ident(name)).join(', ')}`),
        ),
      );
  }

  private plan(id: string): Plan {
    const plan = this.parts.plans.find((one) => one.id === id);
    if (plan === undefined) throw new Error(`There is no plan ${id}.`);
    return plan;
  }
}

/** All in one transaction: either each role is there with its rights, or none is. */
async function createRoles(
  session: Session,
  names: TenantNames,
  verifier: string,
  plan: Plan,
): Promise<void> {
  const all = [names.database, names.login, names.owner];
  const { database: gate, login: user, owner: keeper } = quoteNames(names);
  await session.transaction(async (tx) => {
    const found = await tx.query<{ name: string }>(
      'SELECT rolname AS name FROM pg_roles WHERE rolname = ANY ($1)',
      [all],
    );
    const missing = all.filter((name) => !found.some((one) => one.name === name));
    await tx.query(`
      SET LOCAL log_min_error_statement = panic;
      ${missing.map((name) => `CREATE ROLE ${format.ident(name)} NOLOGIN;`).join('\n')}
      GRANT ${TENANT_GROUP} TO ${keeper} WITH INHERIT TRUE, SET FALSE;
      GRANT ${keeper} TO ${user} WITH INHERIT TRUE, SET TRUE;
      GRANT ${gate} TO ${user} WITH INHERIT TRUE, SET FALSE;
      ${limitLogin(user, plan)}
      ALTER ROLE ${user} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD ${format.literal(verifier)};`);
  });
}

async function createDatabase(session: Session, { database }: TenantNames): Promise<void> {
  try {
    // Nobody gets in until its rights are set.
    await session.query(
      format('CREATE DATABASE %I TEMPLATE %I STRATEGY wal_log CONNECTION LIMIT 0', database, TEMPLATE),
    );
  } catch (error) {
    if (!DUPLICATE_DATABASE.includes(sqlState(error) ?? '')) throw error;
  }
}

/** `login` as it stands in SQL. */
function limitLogin(login: string, plan: Plan): string {
  return `
    ALTER ROLE ${login} CONNECTION LIMIT ${plan.connections};
    ALTER ROLE ${login} SET temp_file_limit = '${tempFileLimit(plan)}';`;
}

async function openDatabase(session: Session, names: TenantNames, { connections }: Plan): Promise<void> {
  const { database: name, owner: keeper } = quoteNames(names);
  await session.query(`
    REVOKE ALL ON DATABASE ${name} FROM PUBLIC;
    GRANT CONNECT ON DATABASE ${name} TO ${name};
    GRANT CREATE, TEMPORARY ON DATABASE ${name} TO ${keeper};
    ALTER DATABASE ${name} CONNECTION LIMIT ${connections};`);
}
