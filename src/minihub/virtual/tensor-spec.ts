/** One tensor of a virtual model under its canonical name. */
export interface TensorSpec {
  /** HF Llama name, or diffusers UNet name without `unet.` */
  name: string;
  shape: readonly number[];
  kind: 'matrix' | 'norm' | 'bias';
  /** name in single-file Stable Diffusion checkpoints */
  ldmName?: string;
  /** name in GGUF, and heads whose rows llama.cpp permutes */
  ggufName?: string;
  permutedHeads?: number;
  /** part of a pipeline that nobody fine-tunes here: values are those of the family's root */
  shared?: true;
}

export function countValues(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}
