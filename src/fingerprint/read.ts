import { HublineageError } from '../types/errors.ts';
import type { RepoFiles } from '../types/hub.ts';
import type { ByteRange, CanonicalTensor } from '../types/weights.ts';
import { findLast } from './plan.ts';
import type { Segment } from './positions.ts';

/** Parallel range reads of one model; several models are read at once beside it. */
const READS_AT_ONCE = 8;

/** The segment widened to whole blocks, as `segmentRanges` wants it. */
export function alignToBlocks(tensor: CanonicalTensor, { row, col, count }: Segment): Segment {
  const block = tensor.blockCols;
  const from = Math.floor(col / block) * block;
  const to = Math.min(tensor.cols, Math.ceil((col + count) / block) * block);
  return { row, col: from, count: to - from };
}

/** Whether the model has the row at all; a token id may lie beyond its vocabulary. */
export function isPresent(tensor: { rows: number }, segment: Segment): boolean {
  return segment.row < tensor.rows;
}

/** Bytes of every request, in order. Any failure ends the whole: half a fingerprint would look like another model's. */
export async function readRequests(files: RepoFiles, requests: readonly ByteRange[]): Promise<Uint8Array[]> {
  const answers: Uint8Array[] = new Array(requests.length);
  let next = 0;
  let failed = false;
  const work = async () => {
    while (next < requests.length && !failed) {
      const index = next++;
      const { file, offset, length } = requests[index] as ByteRange;
      try {
        const source = await files.open(file);
        if (offset + length > source.size)
          throw new HublineageError('OffsetInvalid', `values lie beyond the end of ${file}`, {
            where: `${files.label}/${file}`,
            hint: 'the file is truncated or its header is wrong',
          });
        const bytes = await source.read(offset, length);
        if (bytes.length !== length)
          throw new HublineageError('BodyTruncated', `${bytes.length} of ${length} bytes came`, {
            where: `${files.label}/${file} at ${offset}`,
          });
        answers[index] = bytes;
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(READS_AT_ONCE, requests.length) }, work));
  return answers;
}

/** Cuts a range out of the request that covers it. */
export function sliceRange(
  requests: readonly ByteRange[],
  answers: readonly Uint8Array[],
  range: ByteRange,
): Uint8Array {
  const at = findLast(requests, range.file, range.offset);
  const request = requests[at];
  const bytes = answers[at];
  const start = request === undefined ? -1 : range.offset - request.offset;
  if (request?.file !== range.file || bytes === undefined || start < 0 || start + range.length > bytes.length)
    throw new HublineageError('Unexpected', `no request covers ${range.file} at ${range.offset}`);
  return bytes.subarray(start, start + range.length);
}
