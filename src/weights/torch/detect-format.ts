/** First bytes -> what the file is. Everything but the first two is refused with the name of what was found. */
export type TorchFormat = 'zip' | 'legacy' | { readonly unsupported: string; readonly hint: string };

const LEGACY = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const RESAVE = 'load it with torch and save it again, or convert it to safetensors';
const UPLOAD = 'what was uploaded is not a checkpoint';

const startsWith = (bytes: Uint8Array, prefix: readonly number[]) =>
  prefix.every((byte, i) => bytes[i] === byte);

/** Looks at the first bytes (some 512 are enough). */
export function detectFormat(head: Uint8Array): TorchFormat {
  if (startsWith(head, [0x50, 0x4b, 0x03, 0x04])) return 'zip';
  if (startsWith(head, LEGACY)) return 'legacy';
  const text = new TextDecoder('latin1').decode(head.subarray(0, 512)).trimStart().toLowerCase();
  const known: readonly (readonly [boolean, string, string])[] = [
    [
      new TextDecoder('latin1').decode(head.subarray(257, 262)) === 'ustar',
      'a tar archive (torch before 0.1.10)',
      RESAVE,
    ],
    [startsWith(head, [0x1f, 0x8b]), 'a gzip file', RESAVE],
    [startsWith(head, [0x28, 0xb5, 0x2f, 0xfd]), 'a zstd file', RESAVE],
    [startsWith(head, [0x50, 0x4b, 0x05, 0x06]), 'an empty zip archive', UPLOAD],
    [text.startsWith('<!doctype') || text.startsWith('<html'), 'an HTML page', UPLOAD],
    [text.startsWith('version https://git-lfs'), 'a Git LFS pointer', UPLOAD],
    [head[8] === 0x7b && head[7] === 0, 'a safetensors file under another name', 'rename it to .safetensors'],
    [head[0] === 0x80, 'a pickle that torch.save did not write', RESAVE],
  ];
  const found = known.find(([matches]) => matches);
  return found
    ? { unsupported: found[1], hint: found[2] }
    : { unsupported: 'an unknown format', hint: UPLOAD };
}
