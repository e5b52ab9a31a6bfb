import { HublineageError, isHublineageError } from '../../types/errors.ts';
import type { ByteSource } from '../../types/hub.ts';
import { createCachedSource } from './cached-source.ts';
import { detectFormat } from './detect-format.ts';
import { openTorchLegacy } from './open-legacy.ts';
import { openTorchZip } from './open-zip.ts';
import type { TorchContents } from './types.ts';

/**
 * The pickle comes first in the archive, and that of a shard usually fits; the same read tells the format. A 70B in 30 shards has to
 * stay within a few megabytes of headers, so this is kept small.
 */
const HEAD_BYTES = 64 * 1024;

/**
 * Finds the tensors of one `.bin`/`.ckpt`/`.pt`/`.pth` file without executing anything: no value is read, and a name in the pickle
 * is at most a marker. ContainerUnsupported for other formats, PickleRefused, HeaderInvalid, HeaderTruncated, HeaderTooLarge,
 * OffsetInvalid and ShapeInvalid for files that lie, NoWeights when there is no state dict.
 */
export async function openTorch(source: ByteSource): Promise<TorchContents> {
  const cached = createCachedSource(source);
  const head = await cached.read(0, Math.min(HEAD_BYTES, source.size));
  const format = detectFormat(head);
  if (typeof format === 'string') return openAs(format, cached);
  throw new HublineageError('ContainerUnsupported', `the file is ${format.unsupported}`, {
    where: source.path,
    hint: format.hint,
  });
}

/** The pickle machine knows no file name: errors from it get theirs here. */
async function openAs(format: 'zip' | 'legacy', source: ByteSource): Promise<TorchContents> {
  try {
    return await (format === 'zip' ? openTorchZip(source) : openTorchLegacy(source));
  } catch (error) {
    if (!isHublineageError(error) || error.where !== undefined) throw error;
    throw new HublineageError(error.code, error.message, {
      where: source.path,
      hint: error.hint,
      cause: error,
    });
  }
}
