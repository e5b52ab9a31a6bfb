import { HublineageError } from '../../../../types/errors.ts';
import { layOut } from '../tensor-spec.ts';
import { lineageParameters } from './network.ts';
import type { LineageDetectorModel } from './rate-candidates.ts';
import type { LineageCheckpoint } from './train.ts';

const MAGIC = 'hublineage-lineage-1';

/** Everything of one kind of file: a line of JSON, then float32 arrays, little endian. */
function toFile(head: Record<string, unknown>, arrays: readonly Float32Array[]): Uint8Array {
  const text = new TextEncoder().encode(`${JSON.stringify({ format: MAGIC, ...head })}\n`);
  const values = arrays.reduce((sum, a) => sum + a.length, 0);
  const bytes = new Uint8Array(text.length + 4 * values);
  bytes.set(text);
  const view = new DataView(bytes.buffer);
  let at = text.length;
  for (const array of arrays)
    for (const value of array) {
      view.setFloat32(at, value, true);
      at += 4;
    }
  return bytes;
}

function fromFile(
  bytes: Uint8Array,
  count: number,
): { head: Record<string, unknown>; arrays: Float32Array[] } {
  const end = bytes.indexOf(0x0a);
  let head: Record<string, unknown>;
  try {
    head = JSON.parse(new TextDecoder().decode(bytes.subarray(0, Math.max(0, end))));
  } catch {
    throw invalid('its first line is not JSON');
  }
  if (head?.format !== MAGIC) throw invalid(`it is not ${MAGIC}`);
  const { size } = layOut(lineageParameters());
  if (bytes.length !== end + 1 + 4 * size * count) throw invalid('it does not have the size of this network');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = end + 1;
  const arrays = Array.from({ length: count }, () => {
    const values = new Float32Array(size);
    for (let i = 0; i < size; i++, at += 4) {
      const value = view.getFloat32(at, true);
      if (!Number.isFinite(value)) throw invalid('a weight is not a number');
      values[i] = value;
    }
    return values;
  });
  return { head, arrays };
}

/** A trained lineage detector as one file. `trained` is for readers: seed, epochs, figures. */
export function toLineageModelFile(
  model: LineageDetectorModel,
  trained: Record<string, unknown>,
): Uint8Array {
  return toFile({ trained }, [model.weights]);
}

/** HeaderInvalid when the bytes are not such a file, or one of another network. */
export function fromLineageModelFile(bytes: Uint8Array): LineageDetectorModel {
  return { weights: fromFile(bytes, 1).arrays[0]! };
}

export function toLineageCheckpointFile(state: LineageCheckpoint): Uint8Array {
  const { epoch, bestLoss, sinceBest, weights, adam, average, best } = state;
  return toFile(
    { epoch, bestLoss: Number.isFinite(bestLoss) ? bestLoss : null, sinceBest, step: adam.step },
    [weights, adam.first, adam.second, average, best],
  );
}

export function fromLineageCheckpointFile(bytes: Uint8Array): LineageCheckpoint {
  const { head, arrays } = fromFile(bytes, 5);
  const number = (value: unknown) => {
    if (typeof value !== 'number' || !Number.isFinite(value)) throw invalid('a number is missing');
    return value;
  };
  return {
    epoch: number(head.epoch),
    bestLoss: head.bestLoss === null ? Number.POSITIVE_INFINITY : number(head.bestLoss),
    sinceBest: number(head.sinceBest),
    weights: arrays[0]!,
    adam: { step: number(head.step), first: arrays[1]!, second: arrays[2]! },
    average: arrays[3]!,
    best: arrays[4]!,
  };
}

function invalid(why: string): HublineageError {
  return new HublineageError('HeaderInvalid', `the lineage detector cannot be read: ${why}`, {
    hint: 'train it again with `hublineage detector train --kind lineage`',
  });
}
