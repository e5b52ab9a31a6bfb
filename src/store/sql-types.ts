/** What a query may use up; a user's query is stopped by ending the process it runs in. */
export interface QueryOptions {
  /** named (`:name`, `@name`, `$name`) or positional values */
  params?: Record<string, SqlValue> | readonly SqlValue[];
  /** 10,000 when absent */
  timeoutMs?: number;
  /** 10,000 when absent */
  maxRows?: number;
  /** of all values as JSON, 32 MiB when absent */
  maxBytes?: number;
  signal?: AbortSignal;
}

export type SqlValue = string | number | bigint | null;

export interface QueryResult {
  columns: string[];
  rows: SqlValue[][];
  /** true when maxRows or maxBytes cut the answer short */
  truncated: boolean;
}
