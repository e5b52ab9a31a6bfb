/** What the process was told about its terminal; the rest of the program never reads the environment itself. */
export interface TerminalEnvironment {
  ci: boolean;
  /** null = let the terminal decide */
  color: boolean | null;
}

export function readTerminalEnvironment(env: NodeJS.ProcessEnv = process.env): TerminalEnvironment {
  const forced = env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0';
  return {
    ci: env.CI !== undefined && env.CI !== '' && env.CI !== 'false',
    color: env.NO_COLOR ? false : forced ? true : null,
  };
}
