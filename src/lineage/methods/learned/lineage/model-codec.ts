import { HublineageError } from '../../../../types/errors.ts';
import { fromFloatBytes, fromHeadedBytes, toFloatBytes, toHeadedBytes } from '../headed-bytes.ts';
import { layOut } from '../tensor-spec.ts';
import { fromTrainingStateFile, type TrainingState, toTrainingStateFile } from '../training-state.ts';
import { lineageParameters } from './network.ts';
import type { LineageDetectorModel } from './rate-candidates.ts';

const MAGIC = 'hublineage-lineage-1';
const SIZE = layOut(lineageParameters()).size;

/** A trained lineage detector as one file. `trained` is for readers: seed, epochs, figures. */
export function toLineageModelFile(
  model: LineageDetectorModel,
  trained: Record<string, unknown>,
): Uint8Array {
  return toHeadedBytes({ format: MAGIC, trained }, toFloatBytes([model.weights]));
}

/** HeaderInvalid when the bytes are not such a file, or one of another network. */
export function fromLineageModelFile(bytes: Uint8Array): LineageDetectorModel {
  const { head, body } = fromHeadedBytes(bytes, invalid);
  if (head.format !== MAGIC) throw invalid(`it is not ${MAGIC}`);
  return { weights: fromFloatBytes(body, [SIZE], invalid)[0]! };
}

export function toLineageCheckpointFile(state: TrainingState): Uint8Array {
  return toTrainingStateFile(MAGIC, state);
}

export function fromLineageCheckpointFile(bytes: Uint8Array): TrainingState {
  return fromTrainingStateFile(bytes, MAGIC, SIZE, invalid);
}

function invalid(why: string): HublineageError {
  return new HublineageError('HeaderInvalid', `the lineage detector cannot be read: ${why}`, {
    hint: 'train it again with `hublineage detector train --kind lineage`',
  });
}
