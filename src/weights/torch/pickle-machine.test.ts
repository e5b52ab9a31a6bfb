import { describe, expect, it } from 'vitest';
import { createPickler } from '../../../test/lib/write-torch.ts';
import { runPickle } from './pickle-machine.ts';
import { isKind } from './pickle-values.ts';

const run = (...codes: (string | number)[]) =>
  runPickle(
    createPickler()
      .op(...codes, '.')
      .done(),
  ).value;

describe('runPickle', () => {
  it('reads numbers of every spelling', () => {
    expect(run('K', 200)).toBe(200);
    expect(run('M', 1, 2)).toBe(513);
    expect(run('J', 255, 255, 255, 255)).toBe(-1);
    expect(run('I42\n')).toBe(42);
    expect(run('I01\n')).toBe(true);
    expect(run('L-7L\n')).toBe(-7);
    expect(run('F0.5\n')).toBe(0.5);
    expect(run('G', 0x3f, 0xf8, 0, 0, 0, 0, 0, 0)).toBe(1.5);
    expect(run(138, 0)).toBe(0);
    expect(run(138, 1, 255)).toBe(-1);
    expect(run(138, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19)).toBe(
      0x1950a86a20f9469cfc6cn,
    );
  });

  it('reads text of every spelling', () => {
    expect(run("S'abc'\n")).toBe('abc');
    expect(run('Vdef\n')).toBe('def');
    expect(run('U', 3, 'ghi')).toBe('ghi');
    expect(run(140, 3, 'jkl')).toBe('jkl');
    expect(run('X', 2, 0, 0, 0, 0xc3, 0xa9)).toBe('é');
  });

  it('stops after its own STOP: what follows is another pickle', () => {
    const first = createPickler().op('N.').done();
    const both = Uint8Array.from([...first, ...createPickler().op('K', 5, '.').done()]);
    const { end } = runPickle(both);
    expect(end).toBe(first.length);
    expect(runPickle(both, end).value).toBe(5);
  });

  it('keeps an object that contains itself without following it', () => {
    const list = run(']q', 0, 'h', 0, 'a');
    expect(isKind(list, 'list') && list.items[0] === list).toBe(true);
  });

  it('turns anything it does not know into a marker with a name', () => {
    expect(run('cos\nsystem\n(', "S'id'\n", 'tR')).toEqual({ kind: 'inert', name: 'os.system' });
    expect(run('c__builtin__\neval\n')).toEqual({ kind: 'inert', name: '__builtin__.eval' });
    expect(run('ctorch\nload\n')).toEqual({ kind: 'inert', name: 'torch.load' });
    // a whitelisted name called with nonsense is as inert
    expect(run('ctorch._utils\n_rebuild_tensor_v2\n)R')).toMatchObject({ kind: 'inert' });
    expect(run('ctorch\nFloatStorage\n)R')).toMatchObject({ kind: 'inert' });
  });

  it('does not take names from the prototype of anything for the whitelist', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      expect(run(`ctorch\n${name}\n`)).toEqual({ kind: 'inert', name: `torch.${name}` });
    }
  });

  it('has an end: caps on opcodes, objects and stack', () => {
    const many = (code: number, count: number) => {
      const bytes = new Uint8Array(count + 3).fill(code);
      bytes.set([128, 2]);
      return bytes;
    };
    expect(() => runPickle(many('N'.charCodeAt(0), 300_000))).toThrow('stack');
    const emptyPop = Uint8Array.from({ length: 1_500_000 }, (_, i) => '}0'.charCodeAt(i % 2));
    expect(() => runPickle(emptyPop)).toThrow('objects');
    const nonePop = Uint8Array.from({ length: 2_500_000 }, (_, i) => 'N0'.charCodeAt(i % 2));
    expect(() => runPickle(nonePop)).toThrow('opcodes');
  });
});
