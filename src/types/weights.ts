/** Number formats of stored values; safetensors' names. */
export type DType =
  | 'F64'
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'F8_E4M3'
  | 'F8_E5M2'
  | 'F8_E8M0'
  | 'F8_E4M3FNUZ'
  | 'F8_E5M2FNUZ'
  | 'I64'
  | 'I32'
  | 'I16'
  | 'I8'
  | 'U64'
  | 'U32'
  | 'U16'
  | 'U8'
  | 'BOOL'
  | 'F4'
  | 'F6_E2M3'
  | 'F6_E3M2'
  | 'C64';

export type Container = 'safetensors' | 'gguf' | 'torch-zip' | 'torch-legacy';
export type Family = 'llama' | 'stable-diffusion';
/** How values lie in the file: a plain dtype, a ggml block type (`Q4_0`, ...), or a scheme over several tensors (`bnb-nf4`, `gptq`, ...). */
export type Encoding = 'plain' | (string & {});

export interface ByteRange {
  /** path of the file inside the repo */
  file: string;
  /** bytes from the start of the file */
  offset: number;
  /** bytes */
  length: number;
}

/**
 * One tensor under its canonical name (HF Llama, or diffusers UNet with the prefix dropped), whatever the container.
 * Rows and columns are those of the canonical tensor seen as a matrix: rows = shape[0], cols = product of the rest; a 1-D tensor is one row.
 * The mapping from canonical rows to file bytes (GGUF's q/k permutation, block layouts, scales in other tensors) hides behind `segmentRanges`.
 */
export interface CanonicalTensor {
  readonly name: string;
  /** Name without what says *where* in depth: `self_attn.q_proj.weight`, `down_blocks.attentions.transformer_blocks.attn2.to_k.weight`. */
  readonly role: string;
  /** Layer index for Llama blocks, null elsewhere. */
  readonly layer: number | null;
  /** Canonical shape; trailing 1s of 1x1 convolutions dropped. */
  readonly shape: readonly number[];
  readonly rows: number;
  readonly cols: number;
  /** Number format of the stored values; for ggml blocks and packed schemes the name is in `encoding` and dtype says what codes are stored as. */
  readonly dtype: DType;
  readonly encoding: Encoding;
  /** False when the values cannot be decoded (IQ2, GPTQ, ...): then segmentRanges throws. */
  readonly decodable: boolean;
  /** Columns come in blocks of this many values; segments must start and end on multiples of it (or at the row's end). 1 for plain dtypes. */
  readonly blockCols: number;
  /** Byte ranges needed to decode `count` values of canonical row `row` from column `col`. */
  segmentRanges(row: number, col: number, count: number): ByteRange[];
  /** The values, exact where the stored format fits in float32; `bytes[i]` are the bytes of range i. */
  decodeSegment(bytes: Uint8Array[], row: number, col: number, count: number): Float32Array;
}

/** Widths that decide who can be compared with whom. Null when a model of this family has no such thing or it is not told. */
export interface ModelWidths {
  hidden: number | null;
  intermediate: number | null;
  heads: number | null;
  kvHeads: number | null;
  headDim: number | null;
  layers: number | null;
  vocab: number | null;
  /** cross-attention width of a UNet */
  crossAttention: number | null;
}

export interface AdapterFacts {
  type: 'peft' | 'kohya' | 'diffusers-lora' | 'lycoris';
  /** most common rank of its low-rank pairs */
  rank: number | null;
  alpha: number | null;
  /** canonical target modules without layer index, sorted */
  targets: string[];
  /** canonical name of the target weight -> [out, in] read off the factors */
  targetShapes: Record<string, [number, number]>;
}

/** What opening a repo's weights tells before any value is read. */
export interface ModelWeights {
  family: Family;
  /** `LlamaForCausalLM`, `UNet2DConditionModel`, ... */
  architecture: string;
  kind: 'full' | 'adapter';
  container: Container;
  /** `safetensors`, `safetensors-sharded`, `diffusers`, `single-file`, `gguf`, `gguf-split`, `bin`, `bin-sharded`, `peft`, `kohya`, `diffusers-lora` */
  format: string;
  /** dominant number format by values: a DType or a ggml/scheme name (`Q8_0`, `bnb-nf4`, `gptq`). */
  dtype: string;
  quantized: boolean;
  /** the repo holds quantised files of the same model beside those read */
  quantizedBeside?: boolean;
  /** number of values in full tensors (quantised ones counted unpacked) */
  params: number;
  widths: ModelWidths;
  /** canonical tensors, sorted by name; for an adapter its factors under their own names with role `lora` */
  tensors: CanonicalTensor[];
  adapter: AdapterFacts | null;
  /** files whose bytes the tensors live in, sorted; their sha256 identify the weights */
  files: HubFileIdentity[];
  /** string metadata found in headers (safetensors __metadata__, GGUF general.*), capped */
  metadata: Record<string, string>;
  /** readable remarks: extra tensors ignored, shard missing but enough left, ... */
  notes: string[];
}

export interface HubFileIdentity {
  path: string;
  size: number;
  sha256: string | null;
}
