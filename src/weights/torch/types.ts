import type { Container } from '../../types/weights.ts';
import type { RawTensor } from '../raw-tensor.ts';

/** One tensor of a state dict under the name it has there. */
export interface TorchTensor extends RawTensor {
  /** Why the values cannot be read (not contiguous, big-endian, ...); null when they can. */
  readonly undecodable: string | null;
  /** Tensors with the same key share a storage (tied weights, views). */
  readonly storage: string;
}

export interface TorchContents {
  readonly container: Extract<Container, 'torch-zip' | 'torch-legacy'>;
  readonly tensors: readonly TorchTensor[];
  /** remarks: names in the pickle that were left inert, wrappers looked through, tensors that cannot be read, ... */
  readonly notes: readonly string[];
}
