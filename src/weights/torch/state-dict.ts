import { HublineageError } from '../../types/errors.ts';
import { isKind, type PickleDict, type PickleTensor, type PickleValue } from './pickle-values.ts';

/** Keys under which trainers put the state dict, the usual ones first. */
const WRAPPERS = [
  'state_dict',
  'model_state_dict',
  'model',
  'module',
  'params',
  'params_ema',
  'weights',
  'net',
  'ema',
];
const MAX_DEPTH = 3;

export interface StateDict {
  /** keys looked through, outermost first */
  readonly path: readonly string[];
  readonly tensors: ReadonlyMap<string, PickleTensor>;
  /** entries that are no tensors (`global_step`, ...) */
  readonly others: number;
}

function tensorsOf(dict: PickleDict): Map<string, PickleTensor> {
  const tensors = new Map<string, PickleTensor>();
  for (const [name, value] of dict.entries) if (isKind(value, 'tensor')) tensors.set(name, value);
  return tensors;
}

function candidates(value: PickleValue | undefined, path: readonly string[]): StateDict[] {
  if (!isKind(value, 'dict')) return [];
  const tensors = tensorsOf(value);
  const own = { path, tensors, others: value.entries.size - tensors.size };
  if (path.length === MAX_DEPTH) return [own];
  return [own, ...WRAPPERS.flatMap((key) => candidates(value.entries.get(key), [...path, key]))];
}

/** The dictionary with the most tensors among the pickle's root and what its usual wrappers hold; null when there is none. */
export function findStateDict(root: PickleValue): StateDict | null {
  const best = candidates(root, []).reduce<StateDict | null>(
    (winner, next) => (next.tensors.size > (winner?.tensors.size ?? 0) ? next : winner),
    null,
  );
  return best;
}

const MAX_NAMES = 5;
const MAX_NAME_CHARS = 80;

/** Says what the pickle names instead: whoever meets a repo whose only weights call `os.system` should be told so. */
export function noStateDict(inertNames: readonly string[], where: string): HublineageError {
  const names = inertNames
    .slice(0, MAX_NAMES)
    .map((name) => name.replace(/[^\x21-\x7e]/g, '?').slice(0, MAX_NAME_CHARS));
  const named = names.length === 0 ? '' : `; it names ${names.join(', ')}, which nothing here calls`;
  return new HublineageError('NoWeights', `the pickle holds no state dict${named}`, { where });
}
