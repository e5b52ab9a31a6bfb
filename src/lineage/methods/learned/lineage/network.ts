import type { ParameterSpec } from '../tensor-spec.ts';

/** Width of tokens, as in the paper's code. */
export const WIDTH = 32;
/** Filters of the first, 1x1 convolution. */
export const MIXED = 3;

/**
 * Neural Lineage's detector (Yu and Wang, CVPR 2024): two encoders of the same shape (1x1 convolution 2 -> 3 whose first two filters
 * start as candidate - child and child - candidate, ReLU, 3x3 convolution 3 -> 32, ReLU, mean over the image), a CLS token, type
 * embeddings, one self-attention layer with one head; the CLS outputs are standardised over all candidates of the child and mapped to
 * one logit each. A candidate made of two learned tokens stands for "no parent". Where ours differs: no batch normalisation, whose work
 * the units of the images and the standardisation over candidates do.
 */
export function lineageParameters(): ParameterSpec[] {
  const encoder = (name: string): ParameterSpec[] => [
    { name: `${name}.mix`, shape: [2, MIXED], start: 0.5 },
    { name: `${name}.mix-bias`, shape: [MIXED], start: 'zeros' },
    { name: `${name}.conv`, shape: [9 * MIXED, WIDTH], start: 1 / Math.sqrt(9 * MIXED) },
    { name: `${name}.conv-bias`, shape: [WIDTH], start: 'zeros' },
    { name: `${name}.type`, shape: [WIDTH], start: 0.1 },
    { name: `${name}.none`, shape: [WIDTH], start: 0.1 },
  ];
  return [
    ...encoder('weight'),
    ...encoder('feature'),
    { name: 'cls', shape: [WIDTH], start: 0.1 },
    ...['query', 'key', 'value', 'out'].map((part) => ({
      name: `attend.${part}`,
      shape: [WIDTH, WIDTH],
      start: 1 / Math.sqrt(WIDTH),
    })),
    { name: 'logit', shape: [WIDTH, 1], start: 0.1 },
  ];
}

/** Puts the two differences into the first convolutions. */
export function startDifferences(view: (name: string) => Float32Array): void {
  for (const name of ['weight', 'feature']) {
    const mix = view(`${name}.mix`);
    // rows: candidate, child; columns: filters
    mix.set([1, -1], 0);
    mix.set([-1, 1], MIXED);
  }
}
