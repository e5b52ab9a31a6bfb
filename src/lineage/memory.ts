import { createHash, hash } from 'node:crypto';
import type { LineageModel } from '../types/lineage.ts';
import { describeContent } from './content-key.ts';
import type { World } from './family-tree.ts';
import { oldestFirst } from './oldest-first.ts';
import { LINEAGE_VERSION } from './version.ts';

/**
 * What was concluded about parts of the index before. Values are structured-cloneable and must come back as copies: whoever recalls one
 * may change it. Forgetting anything at any time changes no result.
 */
export interface InferenceMemory {
  /** undefined when the key is not known */
  recall(key: string): Promise<unknown>;
  keep(key: string, value: unknown): Promise<void>;
  /** will be asked for on another night, though not on this one */
  retain(key: string): void;
}

/** Under what a block is remembered. */
export interface BlockKeys {
  /** of its conclusions: a hash over all that they follow from */
  conclusions: string;
  /** of what was noted about its members, which is looked up by their contents: a block that grew is found by its oldest members */
  notes: string[];
  /** a short hash of each member's content */
  contents(): string[];
}

/** By how many of its oldest members a block's notes may be found. */
const ANCHORS = 3;

/**
 * All that a block's conclusions follow from: options, and each member's name, content, time and copies. Null when the content of some
 * member is not known well enough: then nothing may be remembered.
 */
export function describeBlock(
  models: readonly LineageModel[],
  { options, calibration, classes }: World,
): BlockKeys | null {
  // detectors are weights, and weights are not described here
  if (options.detectors?.phylogeny && (options.detectors.weight ?? 0) > 0) return null;
  const common = JSON.stringify([
    LINEAGE_VERSION,
    options.seed,
    calibration,
    Object.keys(options.roundTrip ?? {}),
  ]);
  const all = createHash('sha256').update(common);
  const contents: string[] = [];
  for (const model of models) {
    const content = describeContent(model);
    if (content === null) return null;
    contents.push(content);
    const times = [model.createdAt, classes.get(model.repo)?.existedBy ?? null];
    all.update(JSON.stringify([model.repo, content, times]));
  }
  const oldest = [...models.keys()].sort((a, b) => oldestFirst(models[a]!, models[b]!)).slice(0, ANCHORS);
  return {
    conclusions: `block-${toShort(all.digest('hex'))}`,
    notes: oldest.map((i) => `notes-${toName(common + contents[i]!)}`),
    contents: () => contents.map((content) => toName(content).slice(0, 16)),
  };
}

/** In one go: an object for each hash costs several times the hash of so short a text. */
function toName(text: string): string {
  return toShort(hash('sha256', text, 'hex'));
}

function toShort(digest: string): string {
  return digest.slice(0, 40);
}
