import type { ModelWeights } from '../types/weights.ts';
import { hash32 } from './hash.ts';
import { countPositions, isTokenRole, samplePositions } from './positions.ts';
import { type SamplingScheme, schemeId } from './scheme.ts';
import { orderByPriority, orderFactors } from './select.ts';

/** Values of the core vector, at most. */
export const CORE_VALUES = 4096;

/** Matrices the core draws on: fewer than the smallest budget in use reads of a large model, so that all of them have been read. */
const CORE_MATRICES = 192;

export interface Core {
  core: Float32Array;
  coreKey: string;
}

/**
 * The core vector: an even share of the samples of each of the first 192 matrices in order of priority, evenly strided through them,
 * tensors by name. **0 stands for a value that was not read** (a token beyond the vocabulary, a tensor that cannot be decoded or did
 * not fit), so that a partly readable model keeps its layout; mask zeros when comparing.
 *
 * The layout follows from the model's matrices alone, not from the budget, the container or its vectors. `lm_head` is left out because
 * copies of a model with tied embeddings may or may not store it, and the height of the embedding because it grows with the vocabulary
 * while the rows read stay the same.
 */
export function buildCore(
  weights: ModelWeights,
  scheme: SamplingScheme,
  samples: ReadonlyMap<string, Float32Array>,
): Core {
  const matrices = weights.tensors.filter(
    ({ shape, role }) => shape.length > 1 && !/(?:^|\.)lm_head\.weight$/.test(role),
  );
  const ordered =
    weights.kind === 'adapter' ? orderFactors(matrices) : orderByPriority(matrices, weights.family);
  const chosen = ordered.slice(0, CORE_MATRICES).sort((a, b) => (a.name < b.name ? -1 : 1));
  const share = Math.floor(CORE_VALUES / Math.max(1, chosen.length));
  const values: number[] = [];
  const layout: string[] = [];
  for (const tensor of chosen) {
    const available = countPositions(samplePositions(tensor, scheme));
    const count = Math.min(share, available);
    const sample = samples.get(tensor.name);
    for (let i = 0; i < count; i++) {
      const value = sample?.[Math.floor(((i + 0.5) * available) / count)] ?? 0;
      values.push(Number.isFinite(value) ? value : 0);
    }
    const height = isTokenRole(tensor.role) ? '*' : tensor.rows;
    layout.push(`${tensor.name}[${height}x${tensor.cols}]`);
  }
  return { core: Float32Array.from(values), coreKey: coreKeyOf(weights, scheme, layout) };
}

/** `llama/1/192/1f0c...`: family, scheme, number of matrices drawn on, hash of their names and shapes. */
function coreKeyOf(weights: ModelWeights, scheme: SamplingScheme, layout: readonly string[]): string {
  const text = layout.join('\n');
  const hash = [1, 2].map((seed) => hash32(text, seed).toString(16).padStart(8, '0')).join('');
  const kind = weights.kind === 'adapter' ? '-adapter' : '';
  return `${weights.family}${kind}/${schemeId(scheme)}/${layout.length}/${hash}`;
}
