import type { ModelWeights } from '../types/weights.ts';
import { hash32 } from './hash.ts';
import { countPositions, isTokenRole } from './positions.ts';
import { DEFAULT_SAMPLING, type SamplingScheme, schemeId } from './scheme.ts';
import { selectTensors } from './select.ts';

/** Values of the core vector, at most. */
export const CORE_VALUES = 4096;

export interface Core {
  core: Float32Array;
  coreKey: string;
}

/**
 * The core vector: an even share of each matrix's samples, evenly strided through them, in order of name. **0 stands for a value that
 * was not read** (a token beyond the vocabulary, a tensor that cannot be decoded or did not fit), so that a partly readable model keeps
 * its layout; mask zeros when comparing.
 *
 * The layout is a function of the tensor list under the standard budget, whatever budget the model was read with. `lm_head` is left
 * out because copies of one model with tied embeddings may or may not store it, and the height of the embedding is left out because
 * it grows with the vocabulary while the rows read stay the same.
 */
export function buildCore(
  weights: ModelWeights,
  scheme: SamplingScheme,
  samples: ReadonlyMap<string, Float32Array>,
): Core {
  const chosen = selectTensors(weights, scheme, DEFAULT_SAMPLING)
    .filter(({ tensor }) => tensor.shape.length > 1 && !/(?:^|\.)lm_head\.weight$/.test(tensor.role))
    .sort((a, b) => (a.tensor.name < b.tensor.name ? -1 : 1))
    .slice(0, CORE_VALUES);
  const share = Math.floor(CORE_VALUES / Math.max(1, chosen.length));
  const values: number[] = [];
  const layout: string[] = [];
  for (const { tensor, segments } of chosen) {
    const available = countPositions(segments);
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

/** Readable front, exact hash: `llama/1/h4096-i11008-l32/1f0c...`. */
function coreKeyOf(weights: ModelWeights, scheme: SamplingScheme, layout: readonly string[]): string {
  const { hidden, intermediate, layers, crossAttention } = weights.widths;
  const widths = [
    ['h', hidden],
    ['i', intermediate],
    ['l', layers],
    ['x', crossAttention],
  ]
    .filter(([, width]) => width !== null)
    .map(([letter, width]) => `${letter}${width}`)
    .join('-');
  const text = layout.join('\n');
  const hash = [1, 2].map((seed) => hash32(text, seed).toString(16).padStart(8, '0')).join('');
  const kind = weights.kind === 'adapter' ? '/adapter' : '';
  return `${weights.family}${kind}/${schemeId(scheme)}/${widths || '-'}/${hash}`;
}
