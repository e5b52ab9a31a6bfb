/** Minutes before a failed repo is tried again, doubled with each try. */
const RETRY_AFTER_MINUTES = 30;
/** Five days and a bit: longer waits would only hide that a budget is left. */
const MAX_DOUBLINGS = 8;

/** When a repo that failed `attempts` times before may be tried again, ISO 8601. */
export function retryAt(now: Date, attempts: number): string {
  const minutes = RETRY_AFTER_MINUTES * 2 ** Math.min(attempts, MAX_DOUBLINGS);
  return new Date(now.getTime() + minutes * 60_000).toISOString();
}
