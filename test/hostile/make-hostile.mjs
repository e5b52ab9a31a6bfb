/**
 * Writes the hostile GGUF files and torch checkpoints beside this script: `node test/hostile/make-hostile.mjs`. Deterministic. Each
 * name ends in the error code that has to come, or in `opens` where the file is odd but readable.
 */
import { writeFileSync } from 'node:fs';
import { GGUF, text, u32, writeGguf } from '../lib/write-gguf.ts';
import { createByteWriter } from '../lib/byte-writer.ts';
import { createPickler, pickleStateDict, writeTorchLegacy, writeTorchZip } from '../lib/write-torch.ts';

const llama = text('general.architecture', 'llama');
const f32 = (count) => new Uint8Array(new Float32Array(count).map((_, i) => i / 8).buffer);
const norm = (name = 'output_norm.weight', extra = {}) => ({ name, shape: [8], typeId: 0, data: f32(8), ...extra });
const good = writeGguf({ keys: [llama], tensors: [norm()] });
const patched = (bytes, at, values) => {
  const copy = Uint8Array.from(bytes);
  copy.set(values, at);
  return copy;
};
const start = (version = 3, tensors = 0n, keys = 0n) =>
  createByteWriter().text('GGUF').u32(version).u64(tensors).u64(keys);

const gguf = {
  'wrong-magic': ['HeaderInvalid', patched(good, 0, [0x47, 0x47, 0x4d, 0x4c])],
  'version-1': ['ContainerUnsupported', patched(good, 4, [1, 0, 0, 0])],
  'version-99': ['ContainerUnsupported', patched(good, 4, [99, 0, 0, 0])],
  'big-endian': ['ContainerUnsupported', patched(good, 4, [0, 0, 0, 3])],
  'empty': ['HeaderTruncated', new Uint8Array()],
  'only-magic': ['HeaderTruncated', good.subarray(0, 4)],
  'billion-keys': ['HeaderTooLarge', start(3, 0n, 10n ** 9n).bytes(new Uint8Array(64)).done()],
  'quintillion-tensors': ['HeaderInvalid', start(3, 2n ** 63n, 0n).bytes(new Uint8Array(64)).done()],
  'million-tensors': ['HeaderTooLarge', start(3, 10n ** 6n, 0n).bytes(new Uint8Array(64)).done()],
  'gigabyte-string': ['HeaderTruncated', start(3, 0n, 1n).u64(3).text('abc').u32(GGUF.string).u64(2 ** 30).text('x').done()],
  'gigabyte-key': ['HeaderInvalid', start(3, 0n, 1n).u64(2 ** 30).text('x').done()],
  'billion-strings': ['HeaderTruncated', start(3, 0n, 1n).u64(1).text('t').u32(GGUF.array).u32(GGUF.string).u64(10 ** 9).bytes(new Uint8Array(4096)).done()],
  'overflowing-array': ['HeaderTruncated', start(3, 0n, 1n).u64(1).text('t').u32(GGUF.array).u32(GGUF.u64).u64(2n ** 52n).done()],
  'nested-array': ['HeaderInvalid', start(3, 0n, 1n).u64(1).text('t').u32(GGUF.array).u32(GGUF.array).u64(1).done()],
  'unknown-value-type': ['HeaderInvalid', start(3, 0n, 1n).u64(1).text('t').u32(77).u64(0).done()],
  'duplicate-key': ['HeaderInvalid', writeGguf({ keys: [llama, llama], tensors: [norm()] })],
  'no-architecture': ['HeaderInvalid', writeGguf({ tensors: [norm()] })],
  'alignment-0': ['HeaderInvalid', writeGguf({ keys: [llama, u32('general.alignment', 0)], tensors: [norm()] })],
  'alignment-3': ['HeaderInvalid', writeGguf({ keys: [llama, u32('general.alignment', 3)], tensors: [norm()] })],
  'alignment-text': ['HeaderInvalid', writeGguf({ keys: [llama, text('general.alignment', '32')], tensors: [norm()] })],
  'duplicate-tensor': ['HeaderInvalid', writeGguf({ keys: [llama], tensors: [norm(), norm()] })],
  'truncated-infos': ['HeaderTruncated', good.subarray(0, 100)],
  'truncated-data': ['OffsetInvalid', good.subarray(0, good.length - 8)],
  'five-dimensions': ['ShapeInvalid', writeGguf({ keys: [llama], tensors: [norm('a', { shape: [1, 1, 1, 1, 8] })] })],
  'overflowing-shape': ['ShapeInvalid', writeGguf({ keys: [llama], tensors: [norm('a', { shape: [2 ** 40, 2 ** 40] })] })],
  'broken-block': ['ShapeInvalid', writeGguf({ keys: [llama], tensors: [norm('a', { typeId: 8 })] })],
  'offset-beyond-file': ['OffsetInvalid', writeGguf({ keys: [llama], tensors: [norm('a', { offset: 2 ** 40 })] })],
  'offset-overflow': ['HeaderInvalid', writeGguf({ keys: [llama], tensors: [norm('a', { offset: 2n ** 64n - 32n })] })],
  'offset-unaligned': ['OffsetInvalid', writeGguf({ keys: [llama], tensors: [norm('a', { offset: 4 }), norm('b')] })],
  'overlapping': ['OffsetInvalid', writeGguf({ keys: [llama], tensors: [norm('a'), norm('b', { offset: 0 })] })],
  'long-name': ['HeaderInvalid', writeGguf({ keys: [llama], tensors: [norm('n'.repeat(300))] })],
  'missing-part': ['ShardMissing', writeGguf({ keys: [llama, { key: 'split.count', type: GGUF.u16, value: 2 }], tensors: [norm()] })],
  'unknown-type': [null, writeGguf({ keys: [llama], tensors: [norm(), norm('output.weight', { typeId: 99 })] })],
  'proto-keys': [null, writeGguf({ keys: [llama, text('__proto__', 'x'), text('general.constructor', 'y')], tensors: [norm('__proto__'), norm()] })],
};

const entry = (name, data, method = 0) => ({ name: `archive/${name}`, data, method });
const tensor = { name: 'w', storage: 'FloatStorage', key: '0', count: 8, shape: [2, 4] };
const pickle = pickleStateDict([tensor]);
const zip = (object, options = {}) => writeTorchZip({ entries: [entry('data.pkl', object), entry('data/0', f32(8))], ...options });
const pkl = (build) => zip(build(createPickler()).done());
const system = (p) => p.global('os', 'system').op('(').string('touch /tmp/hublineage-was-here').op('tR');
const legacy = (object, count = 8, littleEndian = true) =>
  writeTorchLegacy(object, [{ key: '0', count, data: f32(8) }], littleEndian);
const legacyPickle = pickleStateDict([tensor], { legacy: true });
const repeated = (p, count, ...codes) => {
  for (let i = 0; i < count; i++) p.op(...codes);
  return p;
};

const pickles = {
  'os-system': ['NoWeights', pkl((p) => system(p).op('.'))],
  'os-system-in-state-dict': [null, pkl((p) => {
    p.op('}(').string('evil');
    system(p);
    return p.string('w').global('torch._utils', '_rebuild_tensor_v2').op('((').string('storage')
      .global('torch', 'FloatStorage').string('0').string('cpu').int(8).op('tQ').int(0).tuple([2, 4]).tuple([4, 1])
      .op(137, ')tRu.');
  })],
  'builtins-eval': ['NoWeights', pkl((p) => p.string('builtins').string('eval').op(147, '(').string('1').op('tR.'))],
  'inst': ['NoWeights', pkl((p) => p.op('(').string('id').op('ios\nsystem\n.'))],
  'obj': ['NoWeights', pkl((p) => p.op('(').global('os', 'system').string('id').op('o.'))],
  'newobj-ex': ['NoWeights', pkl((p) => p.global('subprocess', 'Popen').op(')}', 146, '.'))],
  'build-setstate': ['NoWeights', pkl((p) => system(p).op('}').string('__setstate__').global('os', 'system').op('sb.'))],
  'load-from-bytes': ['NoWeights', pkl((p) => p.global('torch.storage', '_load_from_bytes').op('(').string('x').op('tR.'))],
  'memo-loop': ['NoWeights', pkl((p) => p.op(']q\x00h\x00ah\x00a.'))],
  'dict-loop': ['NoWeights', pkl((p) => p.op('}q\x00').string('state_dict').op('h\x00s.'))],
  'memo-missing': ['PickleRefused', pkl((p) => p.op('h\x07.'))],
  'memo-huge-index': ['NoWeights', pkl((p) => p.op('}r', 255, 255, 255, 255, '.'))],
  'deep-nesting': ['NoWeights', pkl((p) => repeated(repeated(p, 20_000, ']'), 19_999, 'a').op('.'))],
  'many-marks': ['PickleRefused', pkl((p) => repeated(p, 20_000, '(').op('.'))],
  'shared-doubling': ['NoWeights', pkl((p) => repeated(p.op(')'), 5_000, '2', 134).op('.'))],
  'stack-underflow': ['PickleRefused', pkl((p) => p.op('0000.'))],
  'mark-underflow': ['PickleRefused', pkl((p) => p.op('t.'))],
  'pop-through-mark': ['PickleRefused', pkl((p) => p.op('N(R.'))],
  'unknown-opcode': ['PickleRefused', pkl((p) => p.op(255, '.'))],
  'protocol-9': ['PickleRefused', pkl((p) => p.op(128, 9, 'N.'))],
  'no-stop': ['HeaderTruncated', pkl((p) => p.op('N'))],
  'gigabyte-text': ['HeaderTruncated', pkl((p) => p.op('X', 255, 255, 255, 63, 'x'))],
  'exabyte-text': ['PickleRefused', pkl((p) => p.op(141, 255, 255, 255, 255, 255, 255, 255, 255, 'x'))],
  'huge-long': ['HeaderTruncated', pkl((p) => p.op(139, 255, 255, 255, 127, 'x'))],
  'tensor-beyond-storage': ['OffsetInvalid', zip(pickleStateDict([{ ...tensor, shape: [2, 400] }]))],
  'tensor-offset-beyond': ['OffsetInvalid', zip(pickleStateDict([{ ...tensor, offset: 2 ** 30 }]))],
  'overflowing-shape': ['ShapeInvalid', zip(pickleStateDict([{ ...tensor, shape: [2 ** 30, 2 ** 30], stride: [2 ** 30, 1] }]))],
  'many-dimensions': ['ShapeInvalid', zip(pickleStateDict([{ ...tensor, shape: Array(40).fill(1) }]))],
  'negative-size': ['NoWeights', pkl((p) => p.op('}').string('w').global('torch._utils', '_rebuild_tensor_v2').op('((')
    .string('storage').global('torch', 'FloatStorage').string('0').string('cpu').int(8).op('tQ').int(0)
    .op('(').int(-2).op('t').tuple([1]).op(137, ')tRs.'))],
  'non-contiguous': [null, zip(pickleStateDict([{ ...tensor, stride: [1, 2] }]))],
  'expanded': [null, zip(pickleStateDict([{ ...tensor, shape: [1000, 1000], stride: [0, 0] }]))],
  'storage-missing': [null, zip(pickleStateDict([{ ...tensor, key: '../../0' }]))],
  'proto-names': [null, zip(pickleStateDict([{ ...tensor, name: '__proto__' }], { wrapper: 'state_dict' }))],
};

const torch = {
  'compressed-entry': ['ContainerUnsupported', writeTorchZip({ entries: [entry('data.pkl', pickle, 8), entry('data/0', f32(8))] })],
  'two-pickles': ['HeaderInvalid', writeTorchZip({ entries: [entry('data.pkl', pickle), { name: 'other/data.pkl', data: pickle }] })],
  'same-name-twice': ['HeaderInvalid', writeTorchZip({ entries: [entry('data.pkl', pickle), entry('data.pkl', pickle)] })],
  'no-pickle': ['ContainerUnsupported', writeTorchZip({ entries: [entry('hello.txt', f32(1))] })],
  'comment-65535': [null, zip(pickle, { comment: new Uint8Array(65_535).fill(0x50) })],
  'comment-with-end-record': [null, zip(pickle, { comment: createByteWriter().u32(0x06054b50).bytes(new Uint8Array(40)).done() })],
  'zip64-fields': [null, zip(pickle, { zip64Fields: true })],
  'no-zip64': [null, zip(pickle, { plainEnd: true })],
  'prepended-zip': ['HeaderInvalid', zip(pickle, { prefix: [0x50, 0x4b, 3, 4, ...new Uint8Array(508)] })],
  'prepended-text': ['ContainerUnsupported', zip(pickle, { prefix: new Uint8Array(512).fill(0x20) })],
  'directory-beyond-file': ['HeaderInvalid', zip(pickle, { directoryOffset: 2n ** 40n })],
  'directory-overflow': ['HeaderInvalid', zip(pickle, { directoryOffset: 2n ** 63n })],
  'million-entries': ['HeaderTooLarge', zip(pickle, { entryCount: 10n ** 6n })],
  'ten-thousand-entries': ['HeaderInvalid', zip(pickle, { entryCount: 10n ** 4n })],
  'lying-sizes': ['OffsetInvalid', zip(pickle, { sizes: 2 ** 30 })],
  'truncated': ['HeaderTruncated', zip(pickle).subarray(0, -30)],
  'only-local-header': ['HeaderTruncated', new Uint8Array([0x50, 0x4b, 3, 4])],
  'byteorder-big': [null, writeTorchZip({ entries: [entry('data.pkl', pickle), entry('byteorder', new TextEncoder().encode('big')), entry('data/0', f32(8))] })],
  'alignment-4096': [null, zip(pickle, { alignment: 4096 })],
  'html': ['ContainerUnsupported', new TextEncoder().encode('<!DOCTYPE html><html>Access denied</html>')],
  'lfs-pointer': ['ContainerUnsupported', new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n')],
  'gzip': ['ContainerUnsupported', new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0])],
  'tar': ['ContainerUnsupported', createByteWriter().bytes(new Uint8Array(257)).text('ustar').bytes(new Uint8Array(250)).done()],
  'bare-pickle': ['ContainerUnsupported', pickle],
  'empty': ['ContainerUnsupported', new Uint8Array()],
  'legacy': [null, legacy(legacyPickle)],
  'legacy-big-endian': [null, legacy(legacyPickle, 8, false)],
  'legacy-lying-count': ['HeaderInvalid', legacy(legacyPickle, 9)],
  'legacy-truncated': ['OffsetInvalid', legacy(legacyPickle).subarray(0, -8)],
  'legacy-exabyte': ['OffsetInvalid', legacy(pickleStateDict([{ ...tensor, count: 2 ** 50 }], { legacy: true }), 2 ** 50)],
  'legacy-os-system': ['NoWeights', legacy(system(createPickler()).op('.').done())],
  'legacy-keys-missing': ['HeaderInvalid', writeTorchLegacy(legacyPickle, [{ key: 'x', count: 1, data: f32(1) }])],
};

for (const [prefix, cases, extension] of [['gguf', gguf, 'gguf'], ['pickle', pickles, 'bin'], ['torch', torch, 'bin']]) {
  for (const [name, [code, bytes]] of Object.entries(cases)) {
    writeFileSync(new URL(`${prefix}-${name}.${code ?? 'opens'}.${extension}`, import.meta.url), bytes);
  }
}
