import type { AdapterFacts, DType, Encoding, Family, HubFileIdentity, ModelWidths } from './weights.ts';

/** Sampled values and statistics of one canonical tensor. */
export interface TensorSample {
  name: string;
  role: string;
  layer: number | null;
  shape: readonly number[];
  dtype: DType;
  encoding: Encoding;
  /** Decoded values at the scheme's positions for (role, shape): same index = same position in every model. 1-D tensors whole. */
  values: Float32Array;
  stats: TensorStats;
  /** 16 hex digits over the exact decoded values (float32 bits, -0 folded into 0): equal values = equal hash, whatever the dtype. */
  hash: string;
}

/** Over the sampled values. std is the population standard deviation; kurtosis is the fourth standardised moment minus 3 (0 for a constant). */
export interface TensorStats {
  count: number;
  mean: number;
  std: number;
  l2: number;
  kurtosis: number;
}

export interface Fingerprint {
  /** version of the position scheme; fingerprints of different schemes are never compared */
  scheme: number;
  family: Family;
  architecture: string;
  kind: 'full' | 'adapter';
  format: string;
  dtype: string;
  quantized: boolean;
  /** the repo holds quantised files of the same model beside those read */
  quantizedBeside?: boolean;
  params: number;
  widths: ModelWidths;
  adapter: AdapterFacts | null;
  /** sorted by name */
  tensors: TensorSample[];
  /** about 4,096 values drawn over all matrices, for all-pairs work; layout a function of the tensor list, so only equal `coreKey`s compare */
  core: Float32Array;
  /** identifies the core's layout: family, widths, depth and scheme */
  coreKey: string;
  files: HubFileIdentity[];
  notes: string[];
}

/** A fingerprint without its samples: what is kept in memory for every model. */
export type FingerprintSummary = Omit<Fingerprint, 'tensors'>;

/** Reads samples on demand, in batches; a repo without stored samples is missing from the answer. */
export type SampleLoader = (repos: readonly string[]) => Promise<ReadonlyMap<string, TensorSample[]>>;
