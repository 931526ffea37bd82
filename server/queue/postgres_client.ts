/** What is used of the package pg, which has no types of its own. */

/** An answer. */
export interface PgAnswer {
  readonly rows: readonly Record<string, unknown>[];
  readonly rowCount: number | null;
}

/** What takes queries. */
export interface PgQueryable {
  query(text: string, values?: readonly unknown[]): Promise<PgAnswer>;
  on(event: "error", listener: (error: Error) => void): unknown;
  end(): Promise<void>;
}

/** A notification of the database. */
export interface PgNotification {
  readonly channel: string;
  readonly payload?: string;
}

/** One connection. */
export interface PgClient extends PgQueryable {
  connect(): Promise<void>;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "end", listener: () => void): unknown;
  on(event: "notification", listener: (notification: PgNotification) => void): unknown;
}

/** How to connect. */
export interface PgConfig {
  readonly connectionString: string;
  readonly keepAlive: true;
  readonly connectionTimeoutMillis: number;
  readonly max?: number;
}

/** The package. */
export interface PgPackage {
  readonly default: {
    readonly Pool: new (config: PgConfig) => PgQueryable;
    readonly Client: new (config: PgConfig) => PgClient;
  };
}
