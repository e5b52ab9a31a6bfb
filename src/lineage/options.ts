import type { SampleLoader } from '../types/fingerprint.ts';
import type { LineageModel, LineageResult } from '../types/lineage.ts';
import type { Calibration } from './calibration.ts';
import type { BlockConclusions, BlockTask } from './conclude-block.ts';
import type { InferenceMemory } from './memory.ts';
import type { LineageDetectorModel } from './methods/learned/lineage/rate-candidates.ts';
import type { PhylogenyModel } from './methods/learned/phylogeny/model.ts';

/** Quantises and dequantises values with a round-to-nearest block formula; values come in whole blocks of 32. */
export type RoundTrip = (values: Float32Array) => Float32Array;

/** Where in the canonical matrix each sampled value lies; same length as `TensorSample.values`. */
export interface SamplePositions {
  rows: Int32Array;
  cols: Int32Array;
}

/** Positions of the scheme, injected because lineage imports no neighbour; null where unknown (1-D tensors are whole). */
export type PositionsOf = (role: string, shape: readonly number[]) => SamplePositions | null;

export interface LineageOptions {
  /** `hublineage` or the name of another method */
  method: string;
  seed: number;
  /** an edge below this probability is not chosen, nor is one that is less likely than that none of the candidates is the parent */
  minProbability: number;
  /** ggml type (`Q8_0`, `Q4_0`) -> its round trip */
  roundTrip?: Readonly<Record<string, RoundTrip>>;
  positions?: PositionsOf;
  /** declared bases by repo: names for virtual parents only, never evidence */
  labels?: ReadonlyMap<string, readonly string[]>;
  calibration?: Calibration;
  /** conclusions of former runs; without it everything is inferred anew, with the same result */
  memory?: InferenceMemory;
  /** threads, say; without it blocks are concluded one after another where `inferLineage` was called */
  runner?: BlockRunner;
  /** trained weights, for the methods that are detectors */
  detectors?: {
    phylogeny?: PhylogenyModel;
    lineage?: LineageDetectorModel;
    /** share of the phylogeny detector's log-odds that `hublineage` takes as one more probe; default 0, off */
    weight?: number;
  };
}

/** Concludes blocks somewhere else, several at once: what comes back is what `concludeBlock` returns for the same options. */
export interface BlockRunner {
  atOnce: number;
  run(task: BlockTask): Promise<BlockConclusions>;
}

/** A way of finding parents: ours, or one from the literature. Everything it knows is in the fingerprints. */
export interface LineageMethod {
  name: string;
  infer(models: readonly LineageModel[], load: SampleLoader, options: LineageOptions): Promise<LineageResult>;
}
