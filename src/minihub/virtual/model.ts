import type { Relation } from '../../types/lineage.ts';

/** How the weights of a virtual model lie in files. */
export type VirtualContainer =
  | 'safetensors'
  | 'safetensors-sharded'
  | 'bin'
  | 'gguf'
  | 'diffusers'
  | 'single-file'
  | 'ckpt'
  | 'peft'
  | 'none';

export type VirtualShape =
  | 'llama-tiny'
  | 'llama-1b'
  | 'llama-7b'
  | 'llama-8b'
  | 'llama-70b'
  | 'sd-tiny'
  | 'sd-1.5'
  | 'sdxl';

export type VirtualDtype = 'F32' | 'F16' | 'BF16';
export type VirtualGgufType = 'F32' | 'F16' | 'BF16' | 'Q8_0' | 'Q4_0' | 'Q4_1' | 'Q5_0' | 'Q5_1';

/** One model that exists as a formula. Same spec, same bytes, on every machine. */
export interface VirtualModel {
  id: string;
  shape: VirtualShape;
  /** `root` makes new weights; a `duplicate` has its parent's very files; the others derive values from their parents' stored ones */
  relation: 'root' | Exclude<Relation, 'upscaled' | 'pruned' | 'transformed'>;
  /** ids of models earlier in the list; two or more for a merge */
  parents?: string[];
  /** shares of a merge; equal when absent */
  weights?: number[];
  /** size of a fine-tune's change against its parent, |delta| / |parent|; 0.02 when absent */
  delta?: number;
  dtype?: VirtualDtype;
  container?: VirtualContainer;
  /** one file each; for container `gguf` */
  ggufTypes?: VirtualGgufType[];
  /** tensors of this role prefix keep the parent's values, e.g. `model.embed_tokens` */
  frozen?: string[];
  /** rank of an adapter; 16 when absent */
  rank?: number;
  /** largest shard in bytes; 5 GB when absent */
  maxShardBytes?: number;
  createdAt?: string;
  gated?: false | 'auto' | 'manual';
  /** what the card says; absent = it says nothing */
  baseModel?: string | string[];
  baseModelRelation?: string;
  /** prose of the README */
  readme?: string;
  downloads?: number;
  likes?: number;
}

export interface VirtualSpec {
  seed: number;
  models: VirtualModel[];
}
