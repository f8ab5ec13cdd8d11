/** Reads settings from the environment, gathering every problem, so that one start names them all. */
export class Environment {
  private readonly problems: string[] = [];

  constructor(private readonly env: NodeJS.ProcessEnv) {}

  /** Null when unset or blank. */
  text(name: string): string | null {
    const value = this.env[name]?.trim();
    return value === undefined || value === '' ? null : value;
  }

  required(name: string): string {
    const value = this.text(name);
    if (value === null) this.problems.push(`${name} must be set.`);
    return value ?? '';
  }

  number(name: string, fallback: number, bounds: { min: number; max: number }): number {
    const text = this.text(name);
    const value = text === null ? fallback : Number(text);
    if (!Number.isInteger(value) || value < bounds.min || value > bounds.max) {
      this.problems.push(
        `${name} must be a whole number from ${bounds.min} to ${bounds.max}, not "${text}".`,
      );
      return fallback;
    }
    return value;
  }

  flag(name: string): boolean {
    return this.text(name) === '1';
  }

  /** Throws one sentence for each bad value. */
  check(): void {
    if (this.problems.length > 0) throw new Error(this.problems.join(' '));
  }
}

/** What every provider program is told by whoever starts it. */
export interface ProviderSettings {
  host: string;
  port: number;
  home: string;
  slug: string;
  password: string;
  /** For exchanging grants; null where whoever started the program gave none. */
  clientSecret: string | null;
  platformUrl: string | null;
  masterKey: string | null;
  logLevel: string;
  supervised: boolean;
  crashAt: string | undefined;
}

/** Reads the part of the environment that all providers share. */
export function readProviderSettings(env: Environment): ProviderSettings {
  return {
    host: env.text('HOST') ?? '127.0.0.1',
    port: env.number('PORT', 0, { min: 0, max: 65_535 }),
    home: env.required('SOUK_HOME'),
    slug: env.required('SOUK_PROVIDER_SLUG'),
    password: env.required('SOUK_PROVIDER_PASSWORD'),
    clientSecret: env.text('SOUK_PROVIDER_CLIENT_SECRET'),
    platformUrl: env.text('SOUK_PLATFORM_URL'),
    masterKey: env.text('SOUK_PROVIDER_MASTER_KEY'),
    logLevel: env.text('SOUK_LOG_LEVEL') ?? 'info',
    supervised: env.flag('SOUK_SUPERVISED'),
    crashAt: env.text('SOUK_CRASH_AT') ?? undefined,
  };
}
