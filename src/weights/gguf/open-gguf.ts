import { HublineageError } from '../../types/errors.ts';
import type { ByteSource } from '../../types/hub.ts';
import { type GgufPart, parsePart } from './parse-part.ts';
import type { GgufContents, GgufTensor } from './types.ts';

function checkSplit(parts: readonly GgufPart[], sources: readonly ByteSource[]): void {
  const where = sources[0]?.path;
  const count = parts[0]?.values.get('split.count') ?? 0;
  // A lone file may carry split.count 0 or 1.
  if (parts.length === 1 && (count === 0 || count === 1)) return;
  if (count !== parts.length) {
    const code = typeof count === 'number' && count > parts.length ? 'ShardMissing' : 'IndexInvalid';
    throw new HublineageError(code, `the first part announces ${count} parts, ${parts.length} are there`, {
      where,
    });
  }
  for (const [i, part] of parts.entries()) {
    const no = part.values.get('split.no');
    if (no !== i) {
      throw new HublineageError('IndexInvalid', `part ${i + 1} calls itself number ${no} (from 0)`, {
        where: sources[i]?.path,
      });
    }
  }
  const announced = parts[0]?.values.get('split.tensors.count');
  const found = parts.reduce((sum, part) => sum + part.tensors.length, 0);
  if (announced !== undefined && announced !== found) {
    throw new HublineageError('IndexInvalid', `${announced} tensors announced, ${found} found`, { where });
  }
}

function checkDistinct(tensors: readonly GgufTensor[]): void {
  const files = new Map<string, string>();
  for (const { name, file } of tensors) {
    if (files.has(name)) {
      throw new HublineageError('HeaderInvalid', `the tensor ${name} is also in ${files.get(name)}`, {
        where: file,
      });
    }
    files.set(name, file);
  }
}

/**
 * Reads the header of a GGUF file, or the headers of all parts of a split one in order. No tensor data are read.
 * HeaderInvalid, HeaderTruncated, HeaderTooLarge, ShapeInvalid, OffsetInvalid for files that lie; ShardMissing, IndexInvalid for
 * parts that do not belong together; ContainerUnsupported for version 1 and big-endian files.
 */
export async function openGguf(sources: readonly ByteSource[]): Promise<GgufContents> {
  const parts: GgufPart[] = [];
  for (const source of sources) parts.push(await parsePart(source));
  const first = parts[0];
  if (first === undefined) throw new HublineageError('NoWeights', 'no GGUF file to open');
  checkSplit(parts, sources);
  const architecture = first.values.get('general.architecture');
  if (typeof architecture !== 'string') {
    throw new HublineageError('HeaderInvalid', 'general.architecture is missing', {
      where: sources[0]?.path,
    });
  }
  const tensors = parts.flatMap((part) => part.tensors);
  checkDistinct(tensors);
  const guessed = parts.flatMap((part) => part.guessed);
  const unknown = tensors.filter((tensor) => tensor.length === null);
  return {
    architecture,
    values: first.values,
    tensors,
    notes: [
      ...(unknown.length > 0 ? [`${unknown.length} tensors of unknown ggml types left out`] : []),
      ...(guessed.length > 0
        ? [`long lists of the header were passed without reading them: ${guessed.join(', ')}`]
        : []),
    ],
  };
}
