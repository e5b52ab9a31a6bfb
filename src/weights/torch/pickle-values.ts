import type { DType } from '../../types/weights.ts';

/**
 * What a pickle turns into here: data only. Nothing in it can be called, and whatever is not on the whitelist of
 * torch-globals.ts is an `InertObject` that remembers nothing but its name.
 */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleDict
  | PickleList
  | PickleTuple
  | PickleGlobal
  | PickleStorage
  | PickleTensor
  | InertObject;

export interface PickleDict {
  readonly kind: 'dict';
  /** Entries with string keys, and numbers as strings; other keys are dropped, no state dict has them. */
  readonly entries: Map<string, PickleValue>;
}

export interface PickleList {
  readonly kind: 'list';
  readonly items: PickleValue[];
}

export interface PickleTuple {
  readonly kind: 'tuple';
  readonly items: readonly PickleValue[];
}

/** A whitelisted name: a storage class, a dtype, or a function whose effect is known here and reproduced without it. */
export interface PickleGlobal {
  readonly kind: 'global';
  readonly name: string;
}

export interface PickleStorage {
  readonly kind: 'storage';
  readonly key: string;
  /** null for untyped bytes: the tensor tells */
  readonly dtype: DType | null;
  /** values, or bytes when untyped */
  readonly length: number;
  /** values from the start of the stored data (views of the legacy format) */
  readonly viewOffset: number;
  readonly location: string;
}

export interface PickleTensor {
  readonly kind: 'tensor';
  readonly storage: PickleStorage;
  readonly dtype: DType;
  /** values from the start of the storage */
  readonly offset: number;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
}

export interface InertObject {
  readonly kind: 'inert';
  readonly name: string;
}

export function isKind<K extends 'dict' | 'list' | 'tuple' | 'global' | 'storage' | 'tensor' | 'inert'>(
  value: PickleValue | undefined,
  kind: K,
): value is Extract<PickleValue, { kind: K }> {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind;
}

export const toInert = (name: string): InertObject => ({ kind: 'inert', name });
