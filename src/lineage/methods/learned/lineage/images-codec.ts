import { HublineageError } from '../../../../types/errors.ts';
import { PIXELS } from './images.ts';
import type { LabelledImages } from './train.ts';

/** Image sets as bytes: a line of JSON, then 16-bit integers in units of each set's largest value. Times to the minute, no names. */
const FORMAT = 'hublineage-images-1';
const MINUTE = 60_000;
const LARGEST = 32_767;
const MAX_SETS = 10_000;
const MAX_MODELS = 2000;

interface Header {
  format: string;
  sets: { family: string; minutes: number[]; parents: number[][]; unit: number }[];
}

export function toImagesFile(sets: readonly LabelledImages[]): Uint8Array {
  const rows = sets.map(({ family, images, parents }) => {
    const first = images.createdAt.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
    let top = 1e-12;
    for (const block of [images.weights, images.features])
      for (const value of block) top = Math.max(top, Math.abs(value));
    return {
      family,
      minutes: Array.from(images.createdAt, (t) => Math.round((t - first) / MINUTE)),
      parents: parents.map((row) => [...row]),
      unit: top / LARGEST,
    };
  });
  const head = new TextEncoder().encode(
    `${JSON.stringify({ format: FORMAT, sets: rows } satisfies Header)}\n`,
  );
  const values = sets.reduce((sum, { images }) => sum + 2 * images.weights.length, 0);
  const bytes = new Uint8Array(head.length + 2 * values);
  bytes.set(head);
  const view = new DataView(bytes.buffer);
  let at = head.length;
  sets.forEach(({ images }, i) => {
    for (const block of [images.weights, images.features])
      for (const value of block) {
        view.setInt16(at, Math.round(value / rows[i]!.unit), true);
        at += 2;
      }
  });
  return bytes;
}

/** HeaderInvalid when the bytes are not such a file. */
export function fromImagesFile(bytes: Uint8Array): LabelledImages[] {
  const end = bytes.indexOf(0x0a);
  const header = parseHeader(bytes.subarray(0, Math.max(0, end)));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = end + 1;
  return header.sets.map(({ family, minutes, parents, unit }) => {
    const take = () => {
      const count = minutes.length * PIXELS;
      if (at + 2 * count > bytes.length) throw invalid('it ends early');
      const values = new Float32Array(count);
      for (let i = 0; i < count; i++, at += 2) values[i] = view.getInt16(at, true) * unit;
      return values;
    };
    const weights = take();
    return {
      family,
      parents,
      images: {
        repos: minutes.map((_, i) => `model-${i}`),
        createdAt: Float64Array.from(minutes, (m) => m * MINUTE),
        weights,
        features: take(),
      },
    };
  });
}

function parseHeader(bytes: Uint8Array): Header {
  let header: Header;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes)) as Header;
  } catch {
    throw invalid('its first line is not JSON');
  }
  if (header?.format !== FORMAT || !Array.isArray(header.sets) || header.sets.length > MAX_SETS)
    throw invalid(`it is not ${FORMAT}`);
  for (const set of header.sets) {
    const n = Array.isArray(set?.minutes) ? set.minutes.length : 0;
    const isPlace = (i: unknown) => Number.isInteger(i) && (i as number) >= 0 && (i as number) < n;
    if (
      n < 1 ||
      n > MAX_MODELS ||
      !set.minutes.every(Number.isFinite) ||
      !Number.isFinite(set.unit) ||
      typeof set.family !== 'string' ||
      !Array.isArray(set.parents) ||
      set.parents.length !== n ||
      !set.parents.every((row) => Array.isArray(row) && row.every(isPlace))
    )
      throw invalid('a set is not whole');
  }
  return header;
}

function invalid(why: string): HublineageError {
  return new HublineageError('HeaderInvalid', `the detector's images cannot be read: ${why}`, {
    where: 'data/detector',
    hint: 'make them again with `node bench/detector-data.ts`',
  });
}
