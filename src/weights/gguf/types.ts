/** A scalar or (capped) string of the header's key-value list; 64-bit integers beyond 2^53 come as strings. */
export type GgufValue = string | number | boolean;

/** One tensor as the header describes it, its shape already in the order of Hugging Face (slowest first). */
export interface GgufTensor {
  readonly name: string;
  /** ggml's type name (`Q8_0`, ...); `type-99` for an id nobody has published. */
  readonly type: string;
  readonly typeId: number;
  /** Slowest dimension first: the reverse of what the file says. */
  readonly shape: readonly number[];
  /** path of the file (part of a split) the bytes are in */
  readonly file: string;
  /** bytes from the start of that file */
  readonly offset: number;
  /** bytes; null when the type is unknown and the size cannot be told */
  readonly length: number | null;
}

/** What the header(s) of one GGUF file, or of all parts of a split one, say. */
export interface GgufContents {
  /** `llama`, ... from `general.architecture` of the first part */
  readonly architecture: string;
  /** Scalars and short strings of the first part, by key; arrays are skipped. */
  readonly values: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensor[];
  /** remarks a reader may want: strings cut, parts without tensors, ... */
  readonly notes: readonly string[];
}
