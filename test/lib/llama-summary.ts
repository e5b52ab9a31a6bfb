import type { FingerprintSummary } from '../../src/types/fingerprint.ts';

/** What is known of a small whole Llama in one safetensors file, but for what is given. */
export function createLlamaSummary({
  widths,
  ...given
}: Partial<Omit<FingerprintSummary, 'widths'>> & {
  widths?: Partial<FingerprintSummary['widths']>;
} = {}): FingerprintSummary {
  return {
    scheme: 1,
    family: 'llama',
    architecture: 'LlamaForCausalLM',
    kind: 'full',
    format: 'safetensors',
    dtype: 'BF16',
    quantized: false,
    params: 1,
    widths: {
      hidden: 64,
      intermediate: null,
      heads: null,
      kvHeads: null,
      headDim: null,
      layers: 2,
      vocab: 100,
      crossAttention: null,
      ...widths,
    },
    adapter: null,
    core: new Float32Array(0),
    coreKey: '',
    files: [],
    notes: [],
    ...given,
  };
}
