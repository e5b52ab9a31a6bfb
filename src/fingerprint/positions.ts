import { seededInt } from './hash.ts';
import type { SamplingScheme } from './scheme.ts';

/** `count` neighbouring values of one row. `row` may lie beyond the tensor's last row for token rows a vocabulary does not have. */
export interface Segment {
  row: number;
  col: number;
  count: number;
}

/** What positions are a function of, besides the scheme. Layer, name, number format and file are left out on purpose. */
export interface TensorGeometry {
  role: string;
  shape: readonly number[];
  /** shape[0]; 1 for a 1-D tensor */
  rows: number;
  /** product of the rest */
  cols: number;
}

/** 1-D tensors are stored whole up to here: above any norm or bias of these families, below what a hostile file could ask for. */
const MAX_VECTOR_VALUES = 65_536;

/** Matrices of more columns are wide: their two runs lie near the end of one row and the beginning of the next, a short span. */
const WIDE_COLS = 2048;
/** Columns at either end of a row among which those runs are chosen. */
const EDGE_COLS = 1024;

/**
 * Ranges of token ids in each of which neighbouring ids are read: control tokens and bytes, the smallest vocabularies, frequent words,
 * rare words of a 32,000-token vocabulary. Absolute ids, because a grown vocabulary keeps the old ids.
 */
const TOKEN_BLOCKS: readonly (readonly [from: number, to: number])[] = [
  [3, 60],
  [64, 250],
  [1000, 16_000],
  [16_000, 31_900],
];
/**
 * Neighbouring ids in a block of the output head, where every token moves in training, and in one of the embedding: there many rows and
 * few values of each, because the row of a token that never came up stays as it was, to the last bit, all of it or none.
 */
const OUTPUT_TOKENS = 4;
const EMBEDDING_TOKENS = 16;
/** Part of V in one run. */
const OUTPUT_RUN = 1 / 8;
const EMBEDDING_RUN = 1 / 16;
/** Values that the rows of a block may span; wide embeddings are read in fewer rows. */
const MAX_BLOCK_SPAN = 65_536;

/** Whether the rows of a role are token ids, so that its number of rows says nothing about comparability. */
export function isTokenRole(role: string): boolean {
  return /(?:^|\.)(?:embed_tokens|lm_head)\.weight$/.test(role);
}

/**
 * The positions of a tensor: always the same list for the same role, shape and scheme, in stored order.
 * See docs/reference/sampling.md for the rules and their reasons.
 */
export function samplePositions(tensor: TensorGeometry, scheme: SamplingScheme): Segment[] {
  const { rows, cols } = tensor;
  if (rows < 1 || cols < 1) return [];
  if (tensor.shape.length < 2) return [{ row: 0, col: 0, count: Math.min(cols, MAX_VECTOR_VALUES) }];
  if (isTokenRole(tensor.role)) return tokenPositions(tensor, scheme);
  if (rows * cols <= scheme.valuesPerTensor) return wholeRows(0, rows, cols);
  return matrixPositions(tensor, scheme);
}

function wholeRows(first: number, rows: number, cols: number): Segment[] {
  return Array.from({ length: rows }, (_, i) => ({ row: first + i, col: 0, count: cols }));
}

/**
 * k neighbouring rows with one run of values each. Many short runs tell more than few long ones, since deltas differ from row to row,
 * but every row further apart costs bytes or a request: k is the largest of 8, 4, 2 for which the rows span at most 8192 values.
 */
function matrixPositions({ role, rows, cols }: TensorGeometry, scheme: SamplingScheme): Segment[] {
  const { valuesPerTensor, seed } = scheme;
  const key = `${role}|${rows}x${cols}`;
  if (cols < valuesPerTensor / 8) {
    const k = Math.min(rows, Math.ceil(valuesPerTensor / cols));
    return wholeRows(firstRow(role, key, rows - k, seed), k, cols);
  }
  const wanted = cols <= 1024 ? 8 : cols <= 2048 ? 4 : 2;
  const k = Math.min(rows, wanted);
  const run = Math.min(cols, Math.ceil(valuesPerTensor / wanted / 32) * 32);
  const r0 = firstRow(role, key, rows - k, seed);
  const starts = Math.floor(cols / run);
  const near = Math.max(1, Math.floor(EDGE_COLS / run));
  return Array.from({ length: k }, (_, i) => {
    const choice = seededInt(`${key}|col${i}`, seed, cols > WIDE_COLS ? Math.min(near, starts) : starts);
    const slot = cols > WIDE_COLS && i === 0 ? starts - 1 - choice : choice;
    return { row: r0 + i, col: slot * run, count: run };
  });
}

/**
 * Where the rows begin. In the files transformers and llama.cpp write, norm gains stand before k_proj (safetensors, by name) or q_proj
 * (.bin, by module) and after v_proj (by name); in a UNet every bias and norm stands before some weight. Rows next to them are read
 * in the same request as the vector. The other roles get seeded rows, so that they do not all look at the same residual dimensions.
 */
function firstRow(role: string, key: string, last: number, seed: number): number {
  if (role === 'self_attn.v_proj.weight') return last;
  const seeded = /^(self_attn\.(?![qk]_proj)|mlp\.|lora)/.test(role);
  return seeded ? seededInt(`${key}|row`, seed, last + 1) : 0;
}

function tokenPositions({ role, cols }: TensorGeometry, scheme: SamplingScheme): Segment[] {
  const { valuesPerTensor, seed } = scheme;
  const isEmbedding = /(?:^|\.)embed_tokens\.weight$/.test(role);
  let tokens = isEmbedding ? EMBEDDING_TOKENS : OUTPUT_TOKENS;
  while (tokens > OUTPUT_TOKENS && tokens * cols > MAX_BLOCK_SPAN) tokens /= 2;
  // the number of rows is not in the key: a grown vocabulary must be read at the same places
  const key = `${role}|${cols}`;
  const run = Math.min(
    cols,
    Math.ceil((valuesPerTensor * (isEmbedding ? EMBEDDING_RUN : OUTPUT_RUN)) / 32) * 32,
  );
  const starts = Math.floor(cols / run);
  const near = cols > WIDE_COLS ? Math.min(starts, Math.max(1, Math.floor(EDGE_COLS / run))) : starts;
  return TOKEN_BLOCKS.flatMap(([from, to], block) => {
    const first = from + seededInt(`${key}|block${block}`, seed, to - from - tokens + 2);
    return Array.from({ length: tokens }, (_, i) => {
      const edge = i === 0 || i === tokens - 1;
      const choice = seededInt(`${key}|block${block}|col${i}`, seed, edge ? near : starts);
      const slot = edge && i === 0 && cols > WIDE_COLS ? starts - 1 - choice : choice;
      return { row: first + i, col: slot * run, count: run };
    });
  });
}

/** Number of stored values of a tensor, absent token rows included. */
export function countPositions(segments: readonly Segment[]): number {
  return segments.reduce((sum, segment) => sum + segment.count, 0);
}
