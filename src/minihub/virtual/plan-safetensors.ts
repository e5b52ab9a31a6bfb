import { layoutSafetensors } from '../../weights/index.ts';
import type { FilePlan, Segment } from './file-plan.ts';
import { tensorBytes } from './file-plan.ts';
import type { VirtualDtype } from './model.ts';
import type { TensorSpec } from './tensor-spec.ts';
import { countValues } from './tensor-spec.ts';

export interface NamedTensor {
  /** name in this file */
  name: string;
  tensor: TensorSpec;
}

/** One safetensors file, laid out as the reference writer does. */
export function planSafetensors(
  path: string,
  tensors: readonly NamedTensor[],
  dtype: VirtualDtype,
): FilePlan {
  const layout = layoutSafetensors(
    tensors.map(({ name, tensor }) => ({ name, dtype, shape: tensor.shape })),
    { format: 'pt' },
  );
  const segments: Segment[] = tensors.map(({ name, tensor }) => ({
    offset: layout.offsets.get(name)!,
    length: tensorBytes(countValues(tensor.shape), dtype),
    tensor,
    format: dtype,
    ggufOrder: false,
  }));
  segments.push({ offset: 0, length: layout.header.length, bytes: layout.header });
  segments.sort((a, b) => a.offset - b.offset);
  return { path, size: layout.fileBytes, segments };
}

/** Shards as transformers cuts them: in order, a new one when the next tensor would not fit. */
export function planShards(
  stem: string,
  tensors: readonly NamedTensor[],
  dtype: VirtualDtype,
  maxShardBytes: number,
): { plans: FilePlan[]; index: string } {
  const shards: NamedTensor[][] = [[]];
  let filled = 0;
  let total = 0;
  for (const named of tensors) {
    const bytes = tensorBytes(countValues(named.tensor.shape), dtype);
    if (filled > 0 && filled + bytes > maxShardBytes) {
      shards.push([]);
      filled = 0;
    }
    shards.at(-1)!.push(named);
    filled += bytes;
    total += bytes;
  }
  const number = (n: number) => String(n).padStart(5, '0');
  const weightMap: Record<string, string> = {};
  const plans = shards.map((shard, i) => {
    const path = `${stem}-${number(i + 1)}-of-${number(shards.length)}.safetensors`;
    for (const { name } of shard) weightMap[name] = path;
    return planSafetensors(path, shard, dtype);
  });
  const index = `${JSON.stringify({ metadata: { total_size: total }, weight_map: weightMap }, null, 2)}\n`;
  return { plans, index };
}
