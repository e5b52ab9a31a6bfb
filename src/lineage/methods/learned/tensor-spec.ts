import { createNormal, createRandom } from '../../numeric/random.ts';

/** One parameter tensor of a network; all of them lie one after another in one flat array. */
export interface ParameterSpec {
  name: string;
  shape: number[];
  /** standard deviation of the first values; `ones` and `zeros` for norms and biases */
  start: number | 'ones' | 'zeros';
}

export interface LaidOut extends ParameterSpec {
  offset: number;
  size: number;
}

export function layOut(specs: readonly ParameterSpec[]): { parameters: LaidOut[]; size: number } {
  let offset = 0;
  const parameters = specs.map((spec) => {
    const size = spec.shape.reduce((a, b) => a * b, 1);
    const placed = { ...spec, offset, size };
    offset += size;
    return placed;
  });
  return { parameters, size: offset };
}

/** Parameters by name, as views into the flat array. */
export function viewParameters(
  specs: readonly ParameterSpec[],
  values: Float32Array,
): (name: string) => Float32Array {
  const { parameters } = layOut(specs);
  const views = new Map(parameters.map((p) => [p.name, values.subarray(p.offset, p.offset + p.size)]));
  return (name) => views.get(name)!;
}

export function startParameters(specs: readonly ParameterSpec[], seed: number): Float32Array {
  const normal = createNormal(createRandom(seed));
  const { parameters, size } = layOut(specs);
  const values = new Float32Array(size);
  for (const { start, offset, size: count } of parameters)
    for (let i = 0; i < count; i++)
      values[offset + i] = start === 'ones' ? 1 : start === 'zeros' ? 0 : start * normal();
  return values;
}
