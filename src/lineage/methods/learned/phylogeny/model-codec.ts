import { HublineageError } from '../../../../types/errors.ts';
import { fromFloatBytes, toFloatBytes } from '../headed-bytes.ts';
import { layOut } from '../tensor-spec.ts';
import { fromTrainingStateFile, type TrainingState, toTrainingStateFile } from '../training-state.ts';
import { NODE_EXTRAS, PAIR_EXTRAS } from './features.ts';
import type { PhylogenyModel } from './model.ts';
import { DEFAULT_SIZES, type PhylogenySizes, phylogenyParameters } from './network.ts';
import { NODE_MEASURES, PAIR_MEASURES } from './set-table.ts';

/** The readable half of a trained detector; the weights are float32, little endian, in the order of `phylogenyParameters`. */
export interface PhylogenySpec {
  format: string;
  sizes: PhylogenySizes;
  /** names of the features, so that weights are never used on others than they were trained on */
  features: string[];
  nodeScale: { mean: number[]; sd: number[] };
  pairScale: { mean: number[]; sd: number[] };
  calibration: { slope: number; intercept: number };
}

const FORMAT = 'hublineage-phylogeny-1';
const FEATURES = [...NODE_MEASURES, ...NODE_EXTRAS, ...PAIR_MEASURES, ...PAIR_EXTRAS] as const;
/** No network of ours is near this; a file that claims to be is refused before anything is allocated. */
const MAX_WIDTH = 256;
const MAX_LAYERS = 8;

export function toModelFiles(model: PhylogenyModel): { spec: PhylogenySpec; weights: Uint8Array } {
  const plain = (scale: { mean: Float32Array; sd: Float32Array }) => ({
    mean: [...scale.mean],
    sd: [...scale.sd],
  });
  return {
    spec: {
      format: FORMAT,
      sizes: model.sizes,
      features: [...FEATURES],
      nodeScale: plain(model.nodeScale),
      pairScale: plain(model.pairScale),
      calibration: model.calibration,
    },
    weights: toFloatBytes([model.weights]),
  };
}

/** HeaderInvalid when spec and weights do not fit this version's features or each other. */
export function fromModelFiles(spec: unknown, weights: Uint8Array): PhylogenyModel {
  const read = spec as Partial<PhylogenySpec> | null;
  if (read?.format !== FORMAT) throw invalid(`it is not ${FORMAT}`);
  if (read.features?.join() !== FEATURES.join())
    throw invalid('it was trained on other features than this version measures');
  const sizes = readSizes(read.sizes);
  const [values] = fromFloatBytes(weights, [layOut(phylogenyParameters(sizes)).size], invalid);
  return {
    sizes,
    nodeScale: readScale(read.nodeScale, sizes.nodeWidth),
    pairScale: readScale(read.pairScale, sizes.pairWidth),
    weights: values!,
    calibration: {
      slope: readNumber(read.calibration?.slope),
      intercept: readNumber(read.calibration?.intercept),
    },
  };
}

export function toCheckpointFile(state: TrainingState): Uint8Array {
  return toTrainingStateFile(FORMAT, state);
}

/** HeaderInvalid when it is not a checkpoint of the network this version trains. */
export function fromCheckpointFile(bytes: Uint8Array): TrainingState {
  return fromTrainingStateFile(bytes, FORMAT, layOut(phylogenyParameters(DEFAULT_SIZES)).size, invalid);
}

function readSizes(sizes: Partial<PhylogenySizes> | undefined): PhylogenySizes {
  const whole = (value: unknown, most: number) => {
    if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > most)
      throw invalid('its sizes are out of bounds');
    return value as number;
  };
  const read: PhylogenySizes = {
    nodeWidth: whole(sizes?.nodeWidth, MAX_WIDTH),
    pairWidth: whole(sizes?.pairWidth, MAX_WIDTH),
    width: whole(sizes?.width, MAX_WIDTH),
    heads: whole(sizes?.heads, 32),
    layers: whole(sizes?.layers, MAX_LAYERS),
  };
  if (read.width % read.heads !== 0) throw invalid('its heads do not divide its width');
  return read;
}

function readScale(scale: { mean?: unknown; sd?: unknown } | undefined, width: number) {
  const row = (values: unknown) => {
    if (!Array.isArray(values) || values.length !== width || !values.every(Number.isFinite))
      throw invalid('its scales do not fit its sizes');
    return Float32Array.from(values as number[]);
  };
  const read = { mean: row(scale?.mean), sd: row(scale?.sd) };
  if (!read.sd.every((sd) => sd > 0)) throw invalid('a scale is not positive');
  return read;
}

function readNumber(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw invalid('a number is missing');
  return value;
}

function invalid(why: string): HublineageError {
  return new HublineageError('HeaderInvalid', `the phylogeny detector cannot be read: ${why}`, {
    hint: 'train it again with `hublineage detector train`',
  });
}
