import type { AdapterFacts } from '../types/weights.ts';

/** Rows of these follow the vocabulary, which adapters and fine-tunes grow. */
const GROWS = /(?:^|\.)(?:embed_tokens|lm_head|wte)\b/;

/**
 * Whether an adapter's factors could have been trained on a base: every target the base is known to have must have the factors' outer
 * shape [out, in]. Null when no target is among the base's known tensors, which says nothing. Values are not looked at: a base that
 * fits is one of many.
 */
export function adapterFits(
  targetShapes: AdapterFacts['targetShapes'],
  baseTensors: readonly { name: string; shape: readonly number[] }[],
): boolean | null {
  const shapes = new Map(baseTensors.map((tensor) => [tensor.name, tensor.shape]));
  let compared = 0;
  for (const [name, [rows, cols]] of Object.entries(targetShapes)) {
    const shape = shapes.get(name) ?? shapes.get(`${name}.weight`);
    if (!shape || shape.length < 2) continue;
    compared += 1;
    const baseCols = shape.slice(1).reduce((product, size) => product * size, 1);
    if (baseCols !== cols || (shape[0] !== rows && !GROWS.test(name))) return false;
  }
  return compared === 0 ? null : true;
}
