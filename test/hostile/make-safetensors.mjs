// Writes the safetensors part of this folder: `node test/hostile/make-safetensors.mjs`. The error code each file must get is in its name.
// Files too large to keep (30 MB headers, 200,001 tensors) are made by src/weights/safetensors/read-header.test.ts.
import { writeFileSync } from 'node:fs';

const text = (value) => new TextEncoder().encode(value);
const tensor = (dtype, shape, offsets) => `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;

/** A file of this header, `dataBytes` zeros behind it, and the length prefix `length` where it should lie. */
function makeFile(header, dataBytes = 0, length = undefined) {
  const json = typeof header === 'string' ? text(header) : header;
  const file = new Uint8Array(8 + json.length + dataBytes);
  new DataView(file.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  file.set(json, 8);
  return file;
}

const files = {
  'truncated-header.HeaderTruncated': makeFile('{"a":'+tensor('F32','[2,2]','[0,16]')+'}',0,4096n),
  'lying-length.HeaderTooLarge': makeFile('{}',0,0xffffffffffffffffn),
  'lfs-pointer.HeaderInvalid': text('version https://git-lfs.github.com/spec/v1\noid sha256:4665a78195e2b0d3f0a1d1f2b5a1a9b8c7d6e5f40312233445566778899aabbc\nsize 137\n'),
  'html-page.HeaderInvalid': text('<!DOCTYPE html><html><head><title>503</title></head><body>Service Unavailable</body></html>\n'),
  'duplicate-tensor.HeaderInvalid': makeFile('{"a":'+tensor('U8','[4]','[0,4]')+',"a":'+tensor('U8','[4]','[4,8]')+'}',8),
  'duplicate-escaped.HeaderInvalid': makeFile('{"w":'+tensor('U8','[4]','[0,4]')+',"\\u0077":'+tensor('U8','[4]','[4,8]')+'}',8),
  'nested-metadata.HeaderInvalid': makeFile('{"__metadata__":{"a":{"b":{"c":[[[[]]]]}}}}'),
  'deep-brackets.HeaderInvalid': makeFile('{"a":'+'['.repeat(5000)),
  'overlap.OffsetInvalid': makeFile('{"a":'+tensor('F32','[4]','[0,16]')+',"b":'+tensor('F32','[4]','[8,24]')+'}',24),
  'hole.OffsetInvalid': makeFile('{"a":'+tensor('F32','[4]','[0,16]')+',"b":'+tensor('F32','[4]','[32,48]')+'}',48),
  'out-of-file.OffsetInvalid': makeFile('{"a":'+tensor('F32','[1024,1024]','[0,4194304]')+'}',16),
  'negative-offset.OffsetInvalid': makeFile('{"a":'+tensor('F32','[4]','[-16,0]')+'}',16),
  'polyglot-tail.OffsetInvalid': makeFile('{"a":'+tensor('U8','[4]','[0,4]')+'}',64),
  'absurd-shape.ShapeInvalid': makeFile('{"a":'+tensor('F32','[9007199254740991,9007199254740991]','[0,16]')+'}',16),
  'zero-after-overflow.ShapeInvalid': makeFile('{"a":'+tensor('F32','[4294967296,4294967296,0]','[0,0]')+'}'),
  'unknown-dtype.DtypeUnknown': makeFile('{"a":'+tensor('F128','[1]','[0,16]')+'}',16),
  'prototype-name.HeaderInvalid': makeFile('{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"constructor":{}}}',1),
  'bad-utf8.HeaderInvalid': makeFile(new Uint8Array([0x7b,0x22,0xc3,0x28,0x22,0x3a,0x7b,0x7d,0x7d])),
};

for (const [name, bytes] of Object.entries(files)) {
  writeFileSync(new URL(`./safetensors-${name}.safetensors`, import.meta.url), bytes);
}
