import { resolve } from 'node:path';
import {
  DETECTOR_KINDS,
  type DetectorKind,
  type DetectorRow,
  evaluateDetector,
  trainDetector,
} from '../../refresh/index.ts';
import { EXIT } from '../exit-codes.ts';
import { type CommandDefinition, wholeNumber } from '../setup.ts';

const KIND = {
  flags: '--kind <kind>',
  description: 'whole families at once, or one child and its candidates',
  choices: DETECTOR_KINDS,
  default: 'phylogeny',
};
const DATA = { flags: '--data <dir>', description: 'training sets (default: those of the package)' };

export const detectorTrain: CommandDefinition = {
  name: 'detector train',
  description: 'Train the learned detector on the shipped families: some minutes, no network.',
  options: [
    KIND,
    {
      flags: '--seed <n>',
      description: 'same seed, data and backend: same weights',
      default: 1,
      parse: wholeNumber(0),
    },
    { flags: '--out <dir>', description: 'where weights and checkpoints go', default: 'hublineage-detector' },
    {
      flags: '--epochs <n>',
      description: 'passes over the families at most',
      default: 24,
      parse: wholeNumber(),
    },
    { flags: '--resume', description: 'go on from the checkpoint in --out' },
    {
      flags: '--backend <name>',
      description: 'what computes (default: the fastest there is)',
      choices: ['tensorflow', 'wasm', 'cpu'],
    },
    DATA,
  ],
  examples: [
    'hublineage detector train',
    'hublineage detector train --kind lineage --seed 7 --out mine --resume',
  ],
  async work({ io, options: global, signal }, _args, options) {
    const out = resolve(options.out as string);
    const silent = global.quiet || global.progress === 'none';
    const startedAt = performance.now();
    const trained = await trainDetector({
      kind: options.kind as DetectorKind,
      out,
      seed: options.seed as number,
      epochs: options.epochs as number,
      resume: options.resume === true,
      signal,
      ...(options.backend ? { backend: options.backend as 'wasm' } : {}),
      ...(options.data ? { data: resolve(options.data as string) } : {}),
      onEpoch: (progress) => {
        if (silent) return;
        if (global.progress === 'ndjson') io.err(`${JSON.stringify({ type: 'epoch', ...progress })}\n`);
        else
          io.err(
            `epoch ${progress.epoch} of at most ${progress.epochs}: loss ${progress.trainLoss.toFixed(3)}, held out ${progress.heldOutLoss.toFixed(3)} (${percent(progress.heldOutAccuracy)} right)${progress.best ? ', best so far' : ''}\n`,
          );
      },
    });
    const seconds = (performance.now() - startedAt) / 1000;
    await io.out(
      global.json
        ? `${JSON.stringify({ ...trained, seconds }, null, 2)}\n`
        : [
            `trained in ${seconds.toFixed(0)} s, ${trained.epochs} epochs on ${trained.backend}`,
            `held out: ${percent(trained.heldOutAccuracy)} of parents right, loss ${trained.heldOutLoss.toFixed(3)}`,
            ...trained.files,
            '',
          ].join('\n'),
    );
    return EXIT.done;
  },
};

export const detectorEval: CommandDefinition = {
  name: 'detector eval',
  description: 'Judge the learned detector on families it has not seen, beside a plain rule.',
  options: [
    KIND,
    { flags: '--weights <dir>', description: 'trained detector (default: that of the package)' },
    DATA,
  ],
  examples: ['hublineage detector eval', 'hublineage detector eval --weights hublineage-detector --json'],
  async work({ io, options: global }, _args, options) {
    const kind = options.kind as DetectorKind;
    const rows = await evaluateDetector({
      kind,
      ...(options.weights ? { weights: resolve(options.weights as string) } : {}),
      ...(options.data ? { data: resolve(options.data as string) } : {}),
    });
    await io.out(global.json ? `${JSON.stringify(rows, null, 2)}\n` : describe(rows, kind));
    return EXIT.done;
  },
};

function describe(rows: readonly DetectorRow[], kind: DetectorKind): string {
  const baseline = kind === 'phylogeny' ? 'nearest earlier' : 'plain similarity';
  const cells = rows.flatMap((row) =>
    (['detector', 'baseline'] as const).map((who) => {
      const { strict, upToCopies, forced, roots, generations } = row[who];
      return [
        row.seen ? `${row.family} (seen in training)` : row.family,
        who === 'detector' ? 'detector' : baseline,
        String(row.children),
        percent(strict),
        upToCopies === null ? '-' : percent(upToCopies),
        percent(forced),
        `${roots.right} of ${roots.of}`,
        ...generations.map(({ right, of }) => (of === 0 ? '-' : percent(right / of))),
      ];
    }),
  );
  const head = [
    'family',
    'by',
    'children',
    'strict',
    'up to copies',
    'forced',
    'roots',
    'parent',
    'grandparent',
    'great-',
  ];
  const widths = head.map((name, k) => Math.max(name.length, ...cells.map((row) => row[k]!.length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, k) => (k < 2 ? cell.padEnd(widths[k]!) : cell.padStart(widths[k]!)))
      .join('  ')
      .trimEnd();
  return [
    ...[head, ...cells].map(line),
    '',
    'strict: pair and direction right, "no parent" being an answer; up to copies: a bit-equal copy of the parent counts too.',
    'forced: a parent must be named.',
    'parent, grandparent, great-: each among all models but nearer ancestors and descendants.',
    'Families are split whole: no child of a family seen in training is in another row.',
    '',
  ].join('\n');
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
