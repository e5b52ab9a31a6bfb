import type { CommandDefinition } from '../setup.ts';

/** A command by name, and how to get at it: the rooms it works in are loaded when it is called, not before. */
export interface CommandEntry {
  name: string;
  load: () => Promise<CommandDefinition>;
}

/** Every command, in the order help lists them. */
export const COMMANDS: readonly CommandEntry[] = [
  { name: 'refresh', load: async () => (await import('./stages.ts')).refresh },
  { name: 'crawl', load: async () => (await import('./stages.ts')).crawl },
  { name: 'fingerprint', load: async () => (await import('./stages.ts')).fingerprint },
  { name: 'infer', load: async () => (await import('./stages.ts')).infer },
  { name: 'audit', load: async () => (await import('./audit.ts')).audit },
  { name: 'report', load: async () => (await import('./report.ts')).report },
  { name: 'show', load: async () => (await import('./show.ts')).show },
  { name: 'tree', load: async () => (await import('./tree.ts')).tree },
  { name: 'explain', load: async () => (await import('./explain.ts')).explain },
  { name: 'compare', load: async () => (await import('./compare.ts')).compare },
  { name: 'identify', load: async () => (await import('./identify.ts')).identify },
  { name: 'sql', load: async () => (await import('./sql.ts')).sql },
  { name: 'export', load: async () => (await import('./export.ts')).exportCommand },
  { name: 'serve', load: async () => (await import('./serve.ts')).serve },
  { name: 'phylolm', load: async () => (await import('./phylolm.ts')).phylolm },
  { name: 'minihub', load: async () => (await import('./minihub.ts')).minihub },
  { name: 'demo', load: async () => (await import('./demo.ts')).demo },
  { name: 'doctor', load: async () => (await import('./doctor.ts')).doctor },
  { name: 'health', load: async () => (await import('./health.ts')).health },
  { name: 'completion', load: async () => (await import('./completion.ts')).completion },
  { name: 'detector train', load: async () => (await import('./detector.ts')).detectorTrain },
  { name: 'detector eval', load: async () => (await import('./detector.ts')).detectorEval },
  { name: 'config show', load: async () => (await import('./config.ts')).configShow },
  { name: 'config check', load: async () => (await import('./config.ts')).configCheck },
  { name: 'config schema', load: async () => (await import('./config.ts')).configSchema },
];

/** All commands. */
export function loadCommands(): Promise<CommandDefinition[]> {
  return Promise.all(COMMANDS.map(({ load }) => load()));
}

/**
 * The commands a command line may mean: those whose name is among its words, or all where none is (help, a mistyped name). Loading
 * every room takes half a second, which a shell's prompt should not wait for.
 */
export async function loadCommandsFor(argv: readonly string[]): Promise<CommandDefinition[]> {
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) return [];
  const meant = COMMANDS.filter(({ name }) => argv.includes(name.split(' ')[0] ?? ''));
  return meant.length === 0 ? loadCommands() : Promise.all(meant.map(({ load }) => load()));
}
