import { HublineageError } from '../../types/errors.ts';
import { DTYPE_BITS, isDecodable } from '../dtypes.ts';
import { createPlainTensor } from '../plain-tensor.ts';
import { valueCount } from '../raw-tensor.ts';
import type { PickleTensor } from './pickle-values.ts';
import type { StateDict } from './state-dict.ts';
import type { TorchTensor } from './types.ts';

/** Where the bytes of a storage lie, or why they do not. */
export interface StoragePlace {
  /** bytes from the start of the file */
  readonly offset: number;
  /** bytes */
  readonly length: number;
}

/** Row-major without gaps; strides of dimensions of one element do not matter. */
function isContiguous({ shape, stride }: PickleTensor): boolean {
  let expected = 1;
  for (let dim = shape.length - 1; dim >= 0; dim--) {
    if (shape[dim] !== 1 && stride[dim] !== expected) return false;
    expected *= shape[dim]!;
  }
  return true;
}

function whyUndecodable(tensor: PickleTensor, place: StoragePlace | null, bigEndian: boolean): string | null {
  if (place === null) return `its storage ${tensor.storage.key} is not in the file`;
  if (!isContiguous(tensor)) return 'its values are not stored row by row';
  if (!isDecodable(tensor.dtype)) return `${tensor.dtype} values are not read`;
  if (bigEndian && DTYPE_BITS[tensor.dtype] > 8) return 'its values are big-endian';
  return null;
}

function toTensor(
  name: string,
  tensor: PickleTensor,
  file: string,
  place: StoragePlace | null,
  bigEndian: boolean,
): TorchTensor {
  const { dtype, shape, storage } = tensor;
  const values = valueCount(shape);
  if (!Number.isSafeInteger(values)) {
    throw new HublineageError('ShapeInvalid', `${name} has too many values: ${shape}`, { where: file });
  }
  const itemBytes = DTYPE_BITS[dtype] / 8;
  const start = (tensor.offset + storage.viewOffset) * itemBytes;
  const undecodable = whyUndecodable(tensor, place, bigEndian);
  if (undecodable === null && place !== null && start + values * itemBytes > place.length) {
    throw new HublineageError(
      'OffsetInvalid',
      `${name} needs ${start + values * itemBytes} bytes of a storage of ${place.length}`,
      { where: file },
    );
  }
  const offset = (place?.offset ?? 0) + start;
  const raw = createPlainTensor({ name, shape, dtype, file, offset, decodable: undecodable === null });
  return { ...raw, undecodable, storage: storage.key };
}

/** The tensors of a state dict as raw tensors of the file. OffsetInvalid when one runs out of its storage. */
export function toTensors(
  stateDict: StateDict,
  file: string,
  placeOf: (tensor: PickleTensor) => StoragePlace | null,
  bigEndian: boolean,
): TorchTensor[] {
  return [...stateDict.tensors].map(([name, tensor]) =>
    toTensor(name, tensor, file, placeOf(tensor), bigEndian),
  );
}

/** Remarks about a state dict: wrappers, what is no tensor, what stayed inert, what cannot be read. */
export function toNotes(
  stateDict: StateDict,
  tensors: readonly TorchTensor[],
  inertNames: readonly string[],
): string[] {
  const unreadable = tensors.filter((tensor) => tensor.undecodable !== null);
  const [first] = unreadable;
  return [
    ...(stateDict.path.length > 0 ? [`state dict found under ${stateDict.path.join('.')}`] : []),
    ...(stateDict.others > 0 ? [`${stateDict.others} entries that are no tensors ignored`] : []),
    ...(inertNames.length > 0
      ? [`names in the pickle left inert, nothing was executed: ${inertNames.slice(0, 10).join(', ')}`]
      : []),
    ...(first ? [`${unreadable.length} tensors cannot be read, ${first.name}: ${first.undecodable}`] : []),
  ];
}
