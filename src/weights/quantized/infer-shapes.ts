import { type RawTensor, valueCount } from '../raw-tensor.ts';

/**
 * True [out, in] of packed Llama projections, which their stored shapes hide. The residual width is that of an unpacked norm or
 * embedding; q, k, v, gate and up read it, o and down write it.
 */
export interface ShapeOracle {
  /** from the number of values alone */
  fromCount(stem: string, count: number): [number, number] | null;
  /** from the number of output rows, which packing along a row leaves alone */
  fromRows(stem: string, rows: number): [number, number] | null;
}

export function createShapeOracle(tensors: readonly RawTensor[]): ShapeOracle {
  const hidden = findHidden(tensors);
  const readsResidual = (stem: string) => /\.(?:self_attn\.[qkv]_proj|mlp\.(?:gate|up)_proj)$/.test(stem);
  const writesResidual = (stem: string) => /\.(?:self_attn\.o_proj|mlp\.down_proj)$/.test(stem);
  const rowsOf = new Map<string, number>();
  for (const tensor of tensors) {
    const match = /\.(q_proj|gate_proj|up_proj)\.weight_packed$|\.(q_proj|gate_proj|up_proj)\.weight$/.exec(
      tensor.name,
    );
    const projection = match?.[1] ?? match?.[2];
    if (projection !== undefined && tensor.shape.length === 2) rowsOf.set(projection, tensor.shape[0] ?? 0);
  }
  return {
    fromCount(stem, count) {
      if (hidden === null || count === 0 || count % hidden !== 0) return null;
      if (readsResidual(stem)) return [count / hidden, hidden];
      return writesResidual(stem) ? [hidden, count / hidden] : null;
    },
    fromRows(stem, rows) {
      if (hidden === null) return null;
      if (readsResidual(stem)) return [rows, hidden];
      const inputs = stem.endsWith('o_proj')
        ? rowsOf.get('q_proj')
        : (rowsOf.get('gate_proj') ?? rowsOf.get('up_proj'));
      return writesResidual(stem) && rows === hidden && inputs !== undefined ? [rows, inputs] : null;
    },
  };
}

function findHidden(tensors: readonly RawTensor[]): number | null {
  const norm = tensors.find(
    (tensor) => /(?:^|\.)(?:input_layernorm|norm)\.weight$/.test(tensor.name) && tensor.shape.length === 1,
  );
  return norm === undefined ? null : valueCount(norm.shape) || null;
}
