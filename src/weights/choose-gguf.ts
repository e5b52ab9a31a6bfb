import type { HubFile } from '../types/hub.ts';
import type { Candidate } from './choose-files.ts';

/** Projectors, calibration data and draft heads come as GGUF too, but are no model. */
const NO_MODEL = /(?:^|[/._-])(?:mmproj|imatrix|mtp|control[-_]vector)(?:[._-]|$)/i;
/** Names an adapter might have, but a model with an adapter merged in too: last, and the header decides. */
const MAYBE_NO_MODEL = /(?:^|[/._-])(?:lora|adapter|vocab)(?:[._-]|$)/i;
const SPLIT = /^(.*?)-(\d{5})-of-(\d{5})\.gguf$/i;

/** Finest first; file names carry these labels by llama.cpp's convention. */
const LABELS = [
  'F32',
  'BF16',
  'F16',
  'FP16',
  'Q8_0',
  'Q6_K',
  'Q5_K_M',
  'Q5_K_S',
  'Q5_K',
  'Q5_1',
  'Q5_0',
  'Q4_K_M',
  'Q4_K_S',
  'Q4_K',
  'Q4_1',
  'IQ4_NL',
  'IQ4_XS',
  'Q4_0',
  'Q3_K_L',
  'Q3_K_M',
  'Q3_K_S',
  'Q3_K',
  'Q2_K',
];

/**
 * The finest quantisation first: the most that can be known of the model. By the label in the name, then by size. All parts of a
 * split file are one candidate.
 */
export function chooseGgufFiles(files: readonly HubFile[]): Candidate[] {
  const sets = new Map<string, HubFile[]>();
  for (const file of files) {
    if (!/\.gguf$/i.test(file.path) || NO_MODEL.test(file.path)) continue;
    const split = SPLIT.exec(file.path);
    const key = split === null ? file.path : `${split[1]}|${split[3]}`;
    sets.set(key, [...(sets.get(key) ?? []), file]);
  }
  const ranked = [...sets.values()].map((parts) => ({
    paths: parts.map((part) => part.path).sort(),
    rank: rankOf(parts[0]?.path ?? ''),
    size: parts.reduce((sum, part) => sum + part.size, 0),
  }));
  ranked.sort(
    (a, b) => a.rank - b.rank || b.size - a.size || ((a.paths[0] ?? '') < (b.paths[0] ?? '') ? -1 : 1),
  );
  const rounds = ({ rank }: { rank: number }) => rank >= LABELS.indexOf('Q8_0') && rank < LABELS.length;
  return ranked.map(({ paths, rank }, index) => ({
    reader: 'gguf',
    format: 'gguf',
    files: paths,
    index: null,
    adapterConfig: null,
    note:
      index === 0 && ranked.length > 1
        ? `the repo holds ${ranked.length} quantisations, read ${paths[0]}`
        : null,
    ...(!rounds({ rank }) && ranked.some(rounds) ? { quantizedBeside: true } : {}),
  }));
}

function rankOf(path: string): number {
  const labels = path.toUpperCase().split(/[^A-Z0-9_]+/);
  const found = LABELS.findIndex((label) =>
    labels.some((part) => part === label || part.endsWith(`-${label}`)),
  );
  return (found < 0 ? LABELS.length : found) + (MAYBE_NO_MODEL.test(path) ? LABELS.length + 1 : 0);
}
