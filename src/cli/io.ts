import pc from 'picocolors';
import type { TerminalEnvironment } from '../config/index.ts';

type Colors = ReturnType<typeof pc.createColors>;

/** The two streams of a command. stdout is data only; progress, remarks and errors go to stderr. */
export interface Io {
  /** data, exactly as given */
  out(text: string): Promise<void>;
  /** talk */
  err(text: string): void;
  /** colours for stdout and stderr; identity functions where there are none */
  outColors: Colors;
  errColors: Colors;
  errIsTerminal: boolean;
  outIsTerminal: boolean;
  /** columns of the terminal on stderr */
  columns: () => number;
  ci: boolean;
}

export function createIo(terminal: TerminalEnvironment): Io {
  const errIsTerminal = process.stderr.isTTY === true;
  const outIsTerminal = process.stdout.isTTY === true;
  return {
    out: (text) =>
      new Promise((resolve, reject) => {
        process.stdout.write(text, (error) => {
          // a reader that closed early (`| head`) has all it wanted
          if (error && (error as NodeJS.ErrnoException).code !== 'EPIPE') reject(error);
          else resolve();
        });
      }),
    err: (text) => void process.stderr.write(text),
    outColors: pc.createColors(terminal.color ?? outIsTerminal),
    errColors: pc.createColors(terminal.color ?? errIsTerminal),
    errIsTerminal,
    outIsTerminal,
    columns: () => process.stderr.columns ?? 80,
    ci: terminal.ci,
  };
}
