import { LINEAGE_METHODS, type RunOutcome, runStages, STAGES, type Stage } from '../../refresh/index.ts';
import { openStore } from '../../store/index.ts';
import { VERDICTS, type VerdictKind } from '../../types/verdict.ts';
import { describeOutcome, describeStop } from '../describe-outcome.ts';
import { EXIT } from '../exit-codes.ts';
import { createProgress } from '../progress/index.ts';
import {
  type CommandDefinition,
  type ConfigFlag,
  type OptionDefinition,
  type Setup,
  wholeNumber,
} from '../setup.ts';

const LIMIT_OPTIONS: readonly OptionDefinition[] = [
  { flags: '--max-requests <n>', description: 'stop after this many requests', parse: wholeNumber() },
  { flags: '--max-bytes <n>', description: 'stop after this many bytes', parse: wholeNumber() },
  { flags: '--deadline <hh:mm>', description: 'stop at this time of day' },
  { flags: '--limit <n>', description: 'read the weights of at most this many models', parse: wholeNumber() },
];
const LIMIT_FLAGS: readonly ConfigFlag[] = [
  { option: 'maxRequests', flag: '--max-requests', key: 'run.maxRequests' },
  { option: 'maxBytes', flag: '--max-bytes', key: 'run.maxBytes' },
  { option: 'deadline', flag: '--deadline', key: 'run.deadline' },
  { option: 'limit', flag: '--limit', key: 'run.limit' },
];
const METHOD_OPTION: OptionDefinition = {
  flags: '--method <name>',
  description: 'how edges are inferred: hublineage, or a method of the literature',
  choices: LINEAGE_METHODS,
};
const METHOD_FLAG: ConfigFlag = { option: 'method', flag: '--method', key: 'lineage.method' };
export const FAIL_ON: OptionDefinition = {
  flags: '--fail-on <verdicts>',
  description: 'exit 2 when a model has one of these verdicts (comma list)',
  parse: toVerdicts,
};
const FULL: OptionDefinition = {
  flags: '--full',
  description: 'walk every listing again and notice what is gone',
};
const ALL: OptionDefinition = {
  flags: '--all',
  description: 'rebuild every edge even where nothing changed',
};

function toVerdicts(value: string): VerdictKind[] {
  return value.split(',').map((name) => {
    const verdict = VERDICTS.find((known) => known === name.trim());
    if (verdict === undefined)
      throw new Error(`"${name}" is not a verdict; there are ${VERDICTS.join(', ')}`);
    return verdict;
  });
}

/** Runs stages with progress on stderr, prints what came out, and turns the outcome into an exit code. */
export async function runAndTell(
  setup: Setup,
  stages: readonly Stage[],
  name: Parameters<typeof runStages>[0]['name'],
  options: Record<string, unknown>,
): Promise<number> {
  const { io, loaded, options: global } = setup;
  const progress = createProgress(io, global.quiet ? 'none' : global.progress, global.logLevel);
  let outcome: RunOutcome;
  try {
    outcome = await runStages({
      config: loaded.config,
      stages,
      name,
      emit: progress.sink,
      signal: setup.signal,
      full: options.full === true || options.all === true,
    });
  } finally {
    progress.stop();
  }
  await io.out(await describeOutcome(setup, outcome, stages));
  if (outcome.stoppedBy) io.err(describeStop(outcome.stoppedBy, io));
  return exitCode(setup, outcome, options.failOn as VerdictKind[] | undefined);
}

async function exitCode(
  setup: Setup,
  outcome: RunOutcome,
  failOn: VerdictKind[] | undefined,
): Promise<number> {
  if (outcome.status === 'interrupted') return EXIT.interrupted;
  if (outcome.status === 'stopped')
    return outcome.stoppedBy?.code === 'HubAuth' ? EXIT.configuration : EXIT.stoppedEarly;
  if (failOn !== undefined && (await hasFindings(setup, failOn))) return EXIT.findings;
  return outcome.failures.length > 0 ? EXIT.someFailed : EXIT.done;
}

async function hasFindings(setup: Setup, verdicts: readonly VerdictKind[]): Promise<boolean> {
  const store = await openStore(setup.loaded.config.database.file, { readonly: true });
  try {
    const marks = verdicts.map(() => '?').join(', ');
    return (await store.countView('verdicts', { where: `verdict IN (${marks})`, params: verdicts })) > 0;
  } finally {
    await store.close();
  }
}

export const refresh: CommandDefinition = {
  name: 'refresh',
  description: 'Crawl, read, infer, audit and report: the nightly job. Does only what is new.',
  options: [...LIMIT_OPTIONS, METHOD_OPTION, FULL, FAIL_ON],
  flags: [...LIMIT_FLAGS, METHOD_FLAG],
  examples: [
    'hublineage refresh',
    'hublineage refresh --deadline 06:00 --progress ndjson',
    'HF_ENDPOINT=http://127.0.0.1:8080 hublineage refresh',
  ],
  work: (setup, _args, options) => runAndTell(setup, STAGES, 'refresh', options),
};

export const crawl: CommandDefinition = {
  name: 'crawl',
  description: 'Bring the list of repos and their declarations up to date.',
  options: [...LIMIT_OPTIONS, FULL],
  flags: LIMIT_FLAGS,
  work: (setup, _args, options) => runAndTell(setup, ['crawl', 'claims'], 'crawl', options),
};

export const fingerprint: CommandDefinition = {
  name: 'fingerprint',
  description: 'Read a few megabytes of the weights of every repo that is new or changed.',
  options: LIMIT_OPTIONS,
  flags: LIMIT_FLAGS,
  work: (setup, _args, options) => runAndTell(setup, ['fingerprint'], 'fingerprint', options),
};

export const infer: CommandDefinition = {
  name: 'infer',
  description: 'Infer who was made from whom from the stored fingerprints.',
  options: [METHOD_OPTION, ALL],
  flags: [METHOD_FLAG],
  work: (setup, _args, options) => runAndTell(setup, ['infer'], 'infer', options),
};
