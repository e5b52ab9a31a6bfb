/** Adam (Kingma and Ba 2015) over one flat array. Its whole state is three arrays and a count, so that training can be resumed exactly. */
export interface AdamState {
  step: number;
  first: Float32Array;
  second: Float32Array;
}

export function startAdam(size: number): AdamState {
  return { step: 0, first: new Float32Array(size), second: new Float32Array(size) };
}

export interface AdamOptions {
  rate: number;
  /** decoupled weight decay (Loshchilov and Hutter 2019), a share of the rate */
  decay?: number;
  /** gradients longer than this are shortened to it */
  maxNorm?: number;
}

/** One step, in place. A gradient that is not finite is skipped: @returns whether the step was taken */
export function stepAdam(
  values: Float32Array,
  gradient: Float32Array,
  state: AdamState,
  { rate, decay = 0, maxNorm = 5 }: AdamOptions,
): boolean {
  let squares = 0;
  for (const g of gradient) squares += g * g;
  if (!Number.isFinite(squares)) return false;
  const scale = Math.min(1, maxNorm / (Math.sqrt(squares) + 1e-12));
  state.step++;
  const [beta1, beta2] = [0.9, 0.999];
  const correct1 = 1 - beta1 ** state.step;
  const correct2 = 1 - beta2 ** state.step;
  for (let i = 0; i < values.length; i++) {
    const g = gradient[i]! * scale;
    const m = beta1 * state.first[i]! + (1 - beta1) * g;
    const v = beta2 * state.second[i]! + (1 - beta2) * g * g;
    state.first[i] = m;
    state.second[i] = v;
    values[i]! -= rate * (m / correct1 / (Math.sqrt(v / correct2) + 1e-8) + decay * values[i]!);
  }
  return true;
}
