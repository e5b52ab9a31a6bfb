import { HublineageError } from '../../types/errors.ts';

/** canonical row -> row in the file */
export type RowMap = (row: number) => number;

/**
 * Rows of Llama's q and k projections as GGUF and Meta's own checkpoints order them. transformers rotates halves of a head,
 * Meta rotates neighbours, so per head of `headDim` rows `file[2i + j] = canonical[j * headDim/2 + i]`, i < headDim/2, j in {0, 1}
 * (llama.cpp, conversion/llama.py, `permute`). Throws ShapeInvalid when rows do not divide into even heads.
 */
export function createInterleavedRowMap(rows: number, heads: number): RowMap {
  const headDim = rows / heads;
  if (!Number.isInteger(headDim) || headDim % 2 !== 0) {
    throw new HublineageError('ShapeInvalid', `${rows} rows do not divide into ${heads} heads of even size`);
  }
  const half = headDim / 2;
  return (row) => {
    const inHead = row % headDim;
    return row - inHead + 2 * (inHead % half) + Math.floor(inHead / half);
  };
}
