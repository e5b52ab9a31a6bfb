import type { Encoding } from '../../types/weights.ts';
import { DTYPE_BITS } from '../dtypes.ts';
import { type RawTensor, valueCount } from '../raw-tensor.ts';
import { createBnb4BitTensor } from './bnb-4bit.ts';
import { createShapeOracle, type ShapeOracle } from './infer-shapes.ts';
import { createOpaqueTensor } from './opaque-tensor.ts';
import { createScaledTensor } from './scaled-tensor.ts';

/** Companions of a packed weight, by what follows the module's name. */
const COMPANION =
  /^(.+?)\.(weight\.absmax|weight\.nested_absmax|weight\.quant_map|weight\.nested_quant_map|weight\.quant_state\.bitsandbytes__(?:nf4|fp4)|weight\.SCB|SCB|weight_format|weight\._data|weight\._scale|weight\._shift|qweight|qzeros|scales|biases|g_idx|q_weight|q_perm|q_invperm|q_groups|q_group_map|q_scale|q_scale_max|W_q|meta|codebooks|codes|weight_packed|weight_shape|weight_scale|weight_scale_inv|weight_scale_2|weight_global_scale|weight_zero_point|weight_g_idx|scale_weight|scale_input|input_scale|input_global_scale|input_zero_point|output_scale)$/;
/** MXFP4 as gpt-oss stores it: no dot before the suffix. */
const MXFP4 = /^(.+)_(blocks|scales)$/;
/** Scales of a quantised KV cache belong to the runtime, not to the weights. */
const CACHE_SCALE = /\.(?:[kvq]_scale|kv_scale|prob_scale)$/;

type Parts = ReadonlyMap<string, RawTensor>;

export interface Resolved {
  tensors: RawTensor[];
  notes: string[];
}

/**
 * Replaces packed weights and their companions by one tensor each under the name the weight would have unpacked: decoded where the
 * scheme is (FP8 and INT8 with scales, bitsandbytes), recorded as undecodable where not (GPTQ, AWQ, ...). Tensors of no scheme pass.
 */
export function resolveQuantized(tensors: readonly RawTensor[]): Resolved {
  const modules = groupCompanions(tensors);
  if (modules.size === 0) return { tensors: [...tensors], notes: [] };
  const oracle = createShapeOracle(tensors);
  const used = new Set<RawTensor>();
  const resolved: RawTensor[] = [];
  const undecoded = new Map<string, number>();
  for (const [stem, parts] of modules) {
    const tensor = resolveOne(stem, parts, oracle);
    for (const part of parts.values()) if (part !== parts.get('bias')) used.add(part);
    if (tensor === null) continue;
    resolved.push(tensor);
    if (!tensor.decodable) undecoded.set(tensor.encoding, (undecoded.get(tensor.encoding) ?? 0) + 1);
  }
  const untouched = tensors.filter((tensor) => !used.has(tensor) && !CACHE_SCALE.test(tensor.name));
  const notes = [...undecoded].map(
    ([scheme, count]) => `${count} weights packed as ${scheme} are not decoded`,
  );
  return { tensors: [...untouched, ...resolved], notes };
}

/** stem -> suffix -> tensor, for modules with at least one companion. */
function groupCompanions(tensors: readonly RawTensor[]): Map<string, Map<string, RawTensor>> {
  const modules = new Map<string, Map<string, RawTensor>>();
  const weights = new Map<string, RawTensor>();
  const add = (stem: string, suffix: string, tensor: RawTensor) => {
    const parts = modules.get(stem) ?? new Map<string, RawTensor>();
    modules.set(stem, parts.set(suffix, tensor));
  };
  const names = new Set(tensors.map((tensor) => tensor.name));
  for (const tensor of tensors) {
    const match = COMPANION.exec(tensor.name);
    const micro = match === null ? MXFP4.exec(tensor.name) : null;
    if (match !== null) add(match[1] as string, match[2] as string, tensor);
    else if (micro !== null && names.has(`${micro[1]}_blocks`) && names.has(`${micro[1]}_scales`)) {
      add(micro[1] as string, micro[2] as string, tensor);
    } else if (tensor.name.endsWith('.weight')) weights.set(tensor.name.slice(0, -7), tensor);
  }
  for (const [stem, parts] of modules) {
    const weight = weights.get(stem);
    if (weight !== undefined) parts.set('weight', weight);
  }
  return modules;
}

function resolveOne(stem: string, parts: Parts, oracle: ShapeOracle): RawTensor | null {
  const name = `${stem}.weight`;
  const weight = parts.get('weight');
  if (weight !== undefined) return resolveWeight(name, stem, weight, parts, oracle);
  const opaque = (body: RawTensor, encoding: Encoding, shape: readonly number[] | null): RawTensor =>
    createOpaqueTensor({ name, dtype: body.dtype, file: body.file, encoding, shape: shape ?? body.shape });
  const packed = parts.get('weight_packed');
  if (packed !== undefined) {
    return opaque(
      packed,
      packed.dtype === 'U8' ? 'nvfp4' : 'compressed-tensors',
      oracle.fromRows(stem, packed.shape[0] ?? 0),
    );
  }
  const qweight = parts.get('qweight');
  if (qweight !== undefined) return opaque(qweight, ...describeGptq(qweight, parts));
  const exl2 = parts.get('q_weight');
  if (exl2 !== undefined)
    return opaque(exl2, 'exl2', [exl2.shape[1] ?? 0, valueCount(parts.get('q_invperm')?.shape ?? [0])]);
  const blocks = parts.get('blocks');
  if (blocks !== undefined) return opaque(blocks, 'mxfp4', [valueCount(blocks.shape) * 2]);
  for (const [suffix, scheme] of [
    ['W_q', 'hqq'],
    ['codes', 'aqlm'],
    ['weight._data', 'quanto'],
  ] as const) {
    const body = parts.get(suffix);
    if (body !== undefined) return opaque(body, scheme, null);
  }
  return null;
}

/** GPTQ packs along the input side ([in/8, out]), AWQ along the output side ([in, out/8]); scales are [groups, out] in both. */
function describeGptq(qweight: RawTensor, parts: Parts): [Encoding, readonly number[] | null] {
  const out = parts.get('scales')?.shape[1];
  if (out === undefined) return ['gptq', null];
  if (qweight.shape[1] !== out) return ['awq', [out, qweight.shape[0] ?? 0]];
  const inputs = parts.get('g_idx')?.shape[0];
  // Without g_idx: 4 bits, by far the most common, eight codes in 32 bits.
  return ['gptq', [out, inputs ?? (qweight.shape[0] ?? 0) * 8]];
}

/** A module that has both `weight` and companions: codes under the weight's own name. */
function resolveWeight(
  name: string,
  stem: string,
  weight: RawTensor,
  parts: Parts,
  oracle: ShapeOracle,
): RawTensor {
  const opaque = (encoding: Encoding, shape: readonly number[] | null) =>
    createOpaqueTensor({
      name,
      dtype: weight.dtype,
      file: weight.file,
      encoding,
      shape: shape ?? weight.shape,
    });

  const absmax = parts.get('weight.absmax');
  if (absmax !== undefined) {
    const kind = parts.has('weight.quant_state.bitsandbytes__fp4') ? 'fp4' : 'nf4';
    const count = valueCount(weight.shape) * (DTYPE_BITS[weight.dtype] / 4);
    const shape = oracle.fromCount(stem, count);
    const tensor =
      shape === null
        ? null
        : createBnb4BitTensor(name, shape, {
            kind,
            codes: weight,
            absmax,
            quantMap: parts.get('weight.quant_map'),
            nestedAbsmax: parts.get('weight.nested_absmax'),
            nestedQuantMap: parts.get('weight.nested_quant_map'),
            state: parts.get(`weight.quant_state.bitsandbytes__${kind}`),
          });
    return tensor ?? opaque(`bnb-${kind}`, shape ?? [count]);
  }
  const scb = parts.get('SCB') ?? parts.get('weight.SCB');
  if (scb !== undefined && weight.dtype === 'I8') {
    return createScaledTensor(name, weight, scb, 'bnb-int8', 127) ?? opaque('bnb-int8', null);
  }
  if (weight.dtype === 'U32' && parts.has('scales'))
    return opaque('mlx', oracle.fromRows(stem, weight.shape[0] ?? 0));
  const scale = parts.get('weight_scale_inv') ?? parts.get('weight_scale') ?? parts.get('scale_weight');
  const isShifted = parts.has('weight_zero_point');
  if (scale !== undefined && weight.dtype.startsWith('F8_')) {
    return createScaledTensor(name, weight, scale, 'fp8') ?? opaque('fp8', null);
  }
  if (scale !== undefined && weight.dtype === 'I8') {
    return (isShifted ? null : createScaledTensor(name, weight, scale, 'int8')) ?? opaque('int8', null);
  }
  if (scale !== undefined && weight.dtype === 'U8')
    return opaque('nvfp4', oracle.fromRows(stem, weight.shape[0] ?? 0));
  // Companions of something else (input scales beside a plain weight): the weight is what it is.
  return weight;
}
