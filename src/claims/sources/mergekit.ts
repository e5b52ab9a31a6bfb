import type { Claim } from '../../types/claims.ts';
import { parseYamlSafely } from '../front-matter.ts';
import { isClaim, MAX_CLAIMS_PER_SOURCE, makeClaim } from '../make-claim.ts';

const MAX_BLOCKS = 20;
const MAX_BLOCK_CHARS = 64 * 1024;
const FENCE = /^[ \t]*```[ \t]*(?:ya?ml)[^\n]*\n([\s\S]*?)^[ \t]*```/gim;

/**
 * Models named by mergekit configurations pasted into the card (```yaml blocks with `models`, `slices` or `merge_method`).
 * `base_model` of a task-arithmetic or TIES recipe is what deltas are taken against, often no parent in the tree's sense: a hint,
 * unless it is also listed as a model.
 */
export function fromMergekit(readme: string, notes: string[]): Claim[] {
  const claims: Claim[] = [];
  let blocks = 0;
  for (const match of readme.matchAll(FENCE)) {
    const text = match[1] ?? '';
    if (!/^\s*-?\s*(?:models|slices|merge_method|modules)\s*:/m.test(text)) continue;
    blocks += 1;
    if (blocks > MAX_BLOCKS || text.length > MAX_BLOCK_CHARS) {
      notes.push('Not all merge configurations in the card were read: too many or too large.');
      break;
    }
    for (const config of toList(parseYamlSafely(text))) claims.push(...fromConfiguration(config));
  }
  return claims.slice(0, MAX_CLAIMS_PER_SOURCE);
}

function fromConfiguration(config: unknown): Claim[] {
  if (!isRecord(config)) return [];
  const slices = toList(config.slices).flatMap((slice) => (isRecord(slice) ? toList(slice.sources) : []));
  const models = [...toList(config.models), ...slices]
    .slice(0, MAX_CLAIMS_PER_SOURCE)
    .map((entry) =>
      makeClaim('mergekit', modelName(isRecord(entry) ? entry.model : entry), { relation: 'merge' }),
    )
    .filter(isClaim);
  const base = makeClaim('mergekit', modelName(config.base_model), { relation: 'merge', hint: true });
  const listed = base && models.some((claim) => claim.raw === base.raw);
  return base && !listed ? [...models, base] : models;
}

/** mergekit's model reference: `o/n`, `o/n@rev`, `o/n+lora`, or `{model: {path: ...}}`. */
function modelName(reference: unknown): unknown {
  if (isRecord(reference)) return modelName(reference.path ?? reference.model);
  return typeof reference === 'string' ? reference.split('+')[0] : reference;
}

const toList = (value: unknown): unknown[] =>
  value === null || value === undefined ? [] : Array.isArray(value) ? value : [value];
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
