/**
 * A pickle interpreter that can only build data (opcodes of Python's pickletools, protocols 0 to 5). GLOBAL yields whitelisted names
 * or inert markers, REDUCE and its kin reproduce the whitelisted effects and yield inert markers otherwise; there is no code path
 * from a pickle to a call of anything it names. Work is linear in the pickle: every opcode costs what it pushes or pops, and
 * bounded by caps on bytes, opcodes, stack and memo. The opcode table is why this file is long.
 */
import { HublineageError } from '../../types/errors.ts';
import { createPickleBytes, type PickleBytes } from './pickle-bytes.ts';
import { isKind, type PickleValue, toInert } from './pickle-values.ts';
import { callGlobal, toGlobal, toStorage } from './torch-globals.ts';

export const MAX_PICKLE_BYTES = 32 * 1024 * 1024;
/** A state dict takes some 40 opcodes a tensor; optimizer states ten times that. */
const MAX_OPCODES = 2_000_000;
const MAX_STACK = 250_000;
const MAX_MEMO = 500_000;
const MAX_MARKS = 10_000;
/** Containers are what costs memory (an empty Map is some 200 bytes); a tensor makes about ten. */
const MAX_OBJECTS = 500_000;
const MAX_INERT_NAMES = 100;

export interface PickleResult {
  readonly value: PickleValue;
  /** byte after STOP */
  readonly end: number;
  /** names outside the whitelist, in order of appearance, capped */
  readonly inertNames: readonly string[];
}

interface Machine {
  readonly input: PickleBytes;
  readonly stack: PickleValue[];
  /** heights of the stack at each open MARK */
  readonly marks: number[];
  readonly memo: Map<number, PickleValue>;
  readonly inertNames: Set<string>;
}

function refuse(message: string): never {
  throw new HublineageError('PickleRefused', message, {
    hint: 'only state dicts as torch.save writes them are read; nothing in the file was executed',
  });
}

function pop({ stack, marks }: Machine): PickleValue {
  if (stack.length <= (marks.at(-1) ?? 0)) refuse('the pickle takes more from its stack than it put there');
  return stack.pop() as PickleValue;
}

function top({ stack, marks }: Machine): PickleValue {
  if (stack.length <= (marks.at(-1) ?? 0)) refuse('the pickle looks below its stack');
  return stack.at(-1) as PickleValue;
}

function popMark({ stack, marks }: Machine): PickleValue[] {
  const height = marks.pop();
  if (height === undefined) refuse('the pickle closes a MARK it never set');
  return stack.splice(height);
}

function remember({ memo }: Machine, index: number, value: PickleValue): void {
  if (memo.size >= MAX_MEMO) refuse(`more than ${MAX_MEMO} memo entries in the pickle`);
  memo.set(index, value);
}

function recall({ memo }: Machine, index: number): PickleValue {
  const value = memo.get(index);
  if (value === undefined) refuse(`the pickle reads memo entry ${index}, which was never written`);
  return value;
}

function setItem(target: PickleValue, key: PickleValue, value: PickleValue): void {
  if (!isKind(target, 'dict')) return;
  if (typeof key === 'string') target.entries.set(key, value);
  else if (typeof key === 'number') target.entries.set(String(key), value);
}

function addItems(target: PickleValue, items: readonly PickleValue[]): void {
  if (isKind(target, 'list')) for (const item of items) target.items.push(item);
}

function pushGlobal(machine: Machine, module: string, name: string): void {
  const value = toGlobal(module, name);
  if (isKind(value, 'inert') && machine.inertNames.size < MAX_INERT_NAMES) {
    machine.inertNames.add(value.name.slice(0, 200));
  }
  machine.stack.push(value);
}

/** What `callable(*args)` stands for; never a call. */
function reduce(callable: PickleValue, args: PickleValue): PickleValue {
  if (isKind(callable, 'global') && isKind(args, 'tuple')) return callGlobal(callable.name, args.items);
  return toInert(isKind(callable, 'inert') ? callable.name : 'unknown');
}

/** Two's complement little-endian of up to 16 bytes; longer ones have no place in a state dict. */
function toInteger(bytes: Uint8Array): PickleValue {
  if (bytes.length > 16) return toInert('long');
  const unsigned = bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  const signed = BigInt.asIntN(Math.max(bytes.length, 1) * 8, unsigned);
  return signed >= -(2n ** 53n) && signed <= 2n ** 53n ? Number(signed) : signed;
}

function parseDecimal(text: string): PickleValue {
  const digits = text.replace(/L$/, '');
  return /^-?\d{1,15}$/.test(digits) ? Number(digits) : toInert('long');
}

function pushDict(machine: Machine, items: readonly PickleValue[]): void {
  const dict: PickleValue = { kind: 'dict', entries: new Map() };
  for (let i = 0; i + 1 < items.length; i += 2) setItem(dict, items[i]!, items[i + 1]!);
  machine.stack.push(dict);
}

function pushTuple(machine: Machine, count: number): void {
  const items = Array.from({ length: count }, () => pop(machine)).reverse();
  machine.stack.push({ kind: 'tuple', items });
}

/** Opcode bytes, as pickletools names them. */
const OPCODES: Readonly<Record<number, (machine: Machine) => void>> = {
  // framing
  128: ({ input }) => {
    const protocol = input.u8();
    if (protocol > 5) refuse(`pickle protocol ${protocol}`);
  }, // PROTO
  149: ({ input }) => void input.u64(), // FRAME
  // constants
  78: ({ stack }) => void stack.push(null), // NONE
  136: ({ stack }) => void stack.push(true), // NEWTRUE
  137: ({ stack }) => void stack.push(false), // NEWFALSE
  73: ({ input, stack }) => {
    const text = input.line();
    stack.push(text === '00' ? false : text === '01' ? true : parseDecimal(text));
  }, // INT
  76: ({ input, stack }) => void stack.push(parseDecimal(input.line())), // LONG
  74: ({ input, stack }) => void stack.push(input.i32()), // BININT
  75: ({ input, stack }) => void stack.push(input.u8()), // BININT1
  77: ({ input, stack }) => void stack.push(input.u16()), // BININT2
  138: ({ input, stack }) => void stack.push(toInteger(input.bytes(input.u8()))), // LONG1
  139: ({ input, stack }) => void stack.push(toInteger(input.bytes(input.u32()))), // LONG4
  70: ({ input, stack }) => void stack.push(Number(input.line())), // FLOAT
  71: ({ input, stack }) => void stack.push(input.f64()), // BINFLOAT
  83: ({ input, stack }) => void stack.push(input.line().replace(/^(['"])(.*)\1$/, '$2')), // STRING
  86: ({ input, stack }) => void stack.push(input.line()), // UNICODE
  84: ({ input, stack }) => void stack.push(input.text(input.u32())), // BINSTRING
  85: ({ input, stack }) => void stack.push(input.text(input.u8())), // SHORT_BINSTRING
  88: ({ input, stack }) => void stack.push(input.text(input.u32())), // BINUNICODE
  140: ({ input, stack }) => void stack.push(input.text(input.u8())), // SHORT_BINUNICODE
  141: ({ input, stack }) => void stack.push(input.text(input.u64())), // BINUNICODE8
  66: ({ input, stack }) => void stack.push(input.bytes(input.u32())), // BINBYTES
  67: ({ input, stack }) => void stack.push(input.bytes(input.u8())), // SHORT_BINBYTES
  142: ({ input, stack }) => void stack.push(input.bytes(input.u64())), // BINBYTES8
  150: ({ input, stack }) => void stack.push(input.bytes(input.u64())), // BYTEARRAY8
  // containers
  40: ({ stack, marks }) => void marks.push(stack.length), // MARK
  48: (machine) => {
    // POP closes a MARK when nothing lies above it
    if (machine.stack.length === machine.marks.at(-1)) machine.marks.pop();
    else pop(machine);
  }, // POP
  49: (machine) => void popMark(machine), // POP_MARK
  50: (machine) => void machine.stack.push(top(machine)), // DUP
  41: ({ stack }) => void stack.push({ kind: 'tuple', items: [] }), // EMPTY_TUPLE
  133: (machine) => pushTuple(machine, 1), // TUPLE1
  134: (machine) => pushTuple(machine, 2), // TUPLE2
  135: (machine) => pushTuple(machine, 3), // TUPLE3
  116: (machine) => {
    const items = popMark(machine);
    machine.stack.push({ kind: 'tuple', items });
  }, // TUPLE
  93: ({ stack }) => void stack.push({ kind: 'list', items: [] }), // EMPTY_LIST
  108: (machine) => {
    const items = popMark(machine);
    machine.stack.push({ kind: 'list', items });
  }, // LIST
  97: (machine) => {
    const item = pop(machine);
    addItems(top(machine), [item]);
  }, // APPEND
  101: (machine) => {
    const items = popMark(machine);
    addItems(top(machine), items);
  }, // APPENDS
  125: ({ stack }) => void stack.push({ kind: 'dict', entries: new Map() }), // EMPTY_DICT
  100: (machine) => pushDict(machine, popMark(machine)), // DICT
  115: (machine) => {
    const value = pop(machine);
    const key = pop(machine);
    setItem(top(machine), key, value);
  }, // SETITEM
  117: (machine) => {
    const items = popMark(machine);
    const target = top(machine);
    for (let i = 0; i + 1 < items.length; i += 2) setItem(target, items[i]!, items[i + 1]!);
  }, // SETITEMS
  143: ({ stack }) => void stack.push(toInert('set')), // EMPTY_SET
  144: (machine) => void popMark(machine), // ADDITEMS
  145: (machine) => {
    popMark(machine);
    machine.stack.push(toInert('frozenset'));
  }, // FROZENSET
  // memo
  112: (machine) => remember(machine, toIndex(machine.input.line()), top(machine)), // PUT
  113: (machine) => remember(machine, machine.input.u8(), top(machine)), // BINPUT
  114: (machine) => remember(machine, machine.input.u32(), top(machine)), // LONG_BINPUT
  148: (machine) => remember(machine, machine.memo.size, top(machine)), // MEMOIZE
  103: (machine) => void machine.stack.push(recall(machine, toIndex(machine.input.line()))), // GET
  104: (machine) => void machine.stack.push(recall(machine, machine.input.u8())), // BINGET
  106: (machine) => void machine.stack.push(recall(machine, machine.input.u32())), // LONG_BINGET
  // names and what would be calls
  99: (machine) => pushGlobal(machine, machine.input.line(), machine.input.line()), // GLOBAL
  147: (machine) => {
    const name = pop(machine);
    const module = pop(machine);
    if (typeof name !== 'string' || typeof module !== 'string') refuse('a global without a name');
    pushGlobal(machine, module, name);
  }, // STACK_GLOBAL
  82: (machine) => {
    const args = pop(machine);
    machine.stack.push(reduce(pop(machine), args));
  }, // REDUCE
  129: (machine) => {
    const args = pop(machine);
    machine.stack.push(reduce(pop(machine), args));
  }, // NEWOBJ
  146: (machine) => {
    pop(machine);
    pop(machine);
    machine.stack.push(toInert(nameOf(pop(machine))));
  }, // NEWOBJ_EX
  105: (machine) => {
    const name = `${machine.input.line()}.${machine.input.line()}`;
    popMark(machine);
    machine.inertNames.add(name.slice(0, 200));
    machine.stack.push(toInert(name));
  }, // INST
  111: (machine) => {
    const [type = null] = popMark(machine);
    machine.stack.push(toInert(nameOf(type)));
  }, // OBJ
  98: (machine) => void pop(machine), // BUILD: attributes are of no interest
  130: ({ input, stack }) => void stack.push(toInert(`extension ${input.u8()}`)), // EXT1
  131: ({ input, stack }) => void stack.push(toInert(`extension ${input.u16()}`)), // EXT2
  132: ({ input, stack }) => void stack.push(toInert(`extension ${input.i32()}`)), // EXT4
  80: ({ input, stack }) => void stack.push(toInert(`persistent ${input.line().slice(0, 100)}`)), // PERSID
  81: (machine) => {
    machine.stack.push(toStorage(pop(machine)) ?? toInert('persistent'));
  }, // BINPERSID
};

const STOP = 46;

function nameOf(value: PickleValue): string {
  return isKind(value, 'inert') || isKind(value, 'global') ? value.name : 'unknown';
}

function toIndex(text: string): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : refuse('a memo entry without a number');
}

/**
 * Interprets the pickle that starts at byte `start`. PickleRefused for unknown opcodes, an inconsistent stack or anything beyond the
 * caps; HeaderTruncated when the bytes end before STOP.
 */
export function runPickle(data: Uint8Array, start = 0): PickleResult {
  const input = createPickleBytes(data, start);
  const machine: Machine = { input, stack: [], marks: [], memo: new Map(), inertNames: new Set() };
  let objects = 0;
  let last: PickleValue = null;
  for (let count = 0; count < MAX_OPCODES; count++) {
    if (input.position - start > MAX_PICKLE_BYTES) refuse(`a pickle larger than ${MAX_PICKLE_BYTES} bytes`);
    const opcode = input.u8();
    if (opcode === STOP) {
      return { value: pop(machine), end: input.position, inertNames: [...machine.inertNames] };
    }
    const run = OPCODES[opcode];
    if (run === undefined) refuse(`the opcode ${opcode} in the pickle`);
    run(machine);
    if (machine.stack.length > MAX_STACK) refuse(`more than ${MAX_STACK} values on the pickle's stack`);
    if (machine.marks.length > MAX_MARKS) refuse(`more than ${MAX_MARKS} open marks in the pickle`);
    const newest = machine.stack.at(-1) ?? null;
    if (typeof newest === 'object' && newest !== last && ++objects > MAX_OBJECTS) {
      refuse(`more than ${MAX_OBJECTS} objects in the pickle`);
    }
    last = newest;
  }
  return refuse(`more than ${MAX_OPCODES} opcodes in the pickle`);
}
