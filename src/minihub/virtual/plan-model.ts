import type { SafetensorsSummary } from '../repos/record.ts';
import { isCountedSafetensors } from '../repos/summaries.ts';
import type { FilePlan } from './file-plan.ts';
import type { LlamaShape } from './llama-shape.ts';
import { LLAMA_SHAPES, llamaConfig, llamaTensors } from './llama-shape.ts';
import type { VirtualDtype, VirtualModel } from './model.ts';
import { planGguf } from './plan-gguf.ts';
import type { NamedTensor } from './plan-safetensors.ts';
import { planSafetensors, planShards } from './plan-safetensors.ts';
import { planTorchZip } from './plan-torch-zip.ts';
import type { TensorSpec } from './tensor-spec.ts';
import { countValues } from './tensor-spec.ts';
import { sharedTensors, UNET_SHAPES, unetConfig, unetTensors } from './unet-shape.ts';

/** Files of one layout: weights by formula, and small files as text. */
export interface ModelPlan {
  key: string;
  /** `{name}` in a path stands for the model's own name, `{base}` in texts and config for what it says it adapts */
  weights: FilePlan[];
  texts: { path: string; text: string }[];
  /** the Hub's subset of config.json */
  hubConfig: Record<string, unknown>;
  libraryName: string | null;
  pipelineTag: string;
  /** what listings say of the headers */
  safetensors: SafetensorsSummary | null;
  gguf: Record<string, unknown> | null;
}

type PlannedFiles = Omit<ModelPlan, 'key' | 'safetensors' | 'gguf'>;

const DEFAULT_SHARD_BYTES = 5_000_000_000;
const TORCH_DTYPES: Record<VirtualDtype, string> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };

/** Layouts repeat over thousands of models; each is built once. */
const plans = new Map<string, ModelPlan>();

export function planModel(model: VirtualModel): ModelPlan {
  const dtype = model.dtype ?? 'BF16';
  const container = model.container ?? 'safetensors';
  const key = JSON.stringify([
    model.shape,
    dtype,
    container,
    model.ggufTypes,
    model.maxShardBytes,
    model.rank,
  ]);
  let plan = plans.get(key);
  if (plan === undefined) {
    const llama = LLAMA_SHAPES[model.shape];
    const built = llama === undefined ? planPipeline(model, dtype) : planLlama(model, dtype, llama);
    plan = { key, ...built, ...summarise(built.weights, llama) };
    plans.set(key, plan);
  }
  return plan;
}

/** The same sums the server makes of real headers, without laying headers out to read them again. */
function summarise(
  weights: readonly FilePlan[],
  llama: LlamaShape | undefined,
): Pick<ModelPlan, 'safetensors' | 'gguf'> {
  const count = (files: readonly FilePlan[]) => {
    const parameters: Record<string, number> = {};
    for (const segment of files.flatMap((file) => file.segments)) {
      if (!('tensor' in segment)) continue;
      parameters[segment.format] = (parameters[segment.format] ?? 0) + countValues(segment.tensor.shape);
    }
    return { parameters, total: Object.values(parameters).reduce((sum, values) => sum + values, 0) };
  };
  const counted = weights.filter(({ path }) => isCountedSafetensors(path));
  const gguf = weights.find(({ path }) => path.endsWith('.gguf'));
  return {
    safetensors: counted.length === 0 ? null : count(counted),
    gguf:
      gguf === undefined
        ? null
        : {
            total: count([gguf]).total,
            architecture: 'llama',
            context_length: llama?.context,
            totalFileSize: gguf.size,
          },
  };
}

function planLlama(model: VirtualModel, dtype: VirtualDtype, shape: LlamaShape): PlannedFiles {
  const tensors = llamaTensors(shape);
  const named = tensors.map((tensor) => ({ name: tensor.name, tensor }));
  const config = llamaConfig(shape, TORCH_DTYPES[dtype]);
  const whole = {
    texts: [{ path: 'config.json', text: toJson(config) }],
    hubConfig: { architectures: config.architectures, model_type: 'llama' },
    libraryName: 'transformers',
    pipelineTag: 'text-generation',
  };
  switch (model.container ?? 'safetensors') {
    case 'bin':
      return { ...whole, weights: [planTorchZip('pytorch_model.bin', named, dtype, null)] };
    case 'gguf':
      return {
        ...whole,
        weights: (model.ggufTypes ?? ['Q8_0']).map((type) =>
          planGguf(`{name}.${type}.gguf`, tensors, type, shape),
        ),
        texts: [],
        hubConfig: {},
        libraryName: null,
      };
    case 'peft':
      return { ...whole, ...planAdapter(model, tensors, dtype) };
    case 'none':
      return { ...whole, weights: [] };
    case 'safetensors-sharded': {
      const { plans: weights, index } = planShards(
        'model',
        named,
        dtype,
        model.maxShardBytes ?? DEFAULT_SHARD_BYTES,
      );
      return {
        ...whole,
        weights,
        texts: [...whole.texts, { path: 'model.safetensors.index.json', text: index }],
      };
    }
    default:
      return { ...whole, weights: [planSafetensors('model.safetensors', named, dtype)] };
  }
}

/** LoRA factors of q_proj and v_proj in PEFT's layout. */
function planAdapter(
  model: VirtualModel,
  tensors: readonly TensorSpec[],
  dtype: VirtualDtype,
): Partial<PlannedFiles> & Pick<PlannedFiles, 'weights'> {
  const rank = model.rank ?? 16;
  const factors: NamedTensor[] = tensors
    .filter(({ name }) => /\.(q_proj|v_proj)\.weight$/.test(name))
    .flatMap(({ name, shape }) => {
      const stem = `base_model.model.${name.replace(/\.weight$/, '')}`;
      const factor = (suffix: string, dims: number[]): NamedTensor => {
        const tensor: TensorSpec = { name: `${stem}.${suffix}.weight`, shape: dims, kind: 'matrix' };
        return { name: tensor.name, tensor };
      };
      return [factor('lora_A', [rank, shape[1]!]), factor('lora_B', [shape[0]!, rank])];
    });
  const config = {
    base_model_name_or_path: '{base}',
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    lora_alpha: 2 * rank,
    lora_dropout: 0.05,
    modules_to_save: null,
    peft_type: 'LORA',
    r: rank,
    target_modules: ['q_proj', 'v_proj'],
    task_type: 'CAUSAL_LM',
  };
  return {
    weights: [planSafetensors('adapter_model.safetensors', factors, dtype)],
    texts: [{ path: 'adapter_config.json', text: toJson(config) }],
    hubConfig: { peft: { base_model_name_or_path: config.base_model_name_or_path, task_type: 'CAUSAL_LM' } },
    libraryName: 'peft',
  };
}

function planPipeline(model: VirtualModel, dtype: VirtualDtype): PlannedFiles {
  const shape = UNET_SHAPES[model.shape];
  if (shape === undefined) throw new RangeError(`no shape ${model.shape}`);
  const unet = unetTensors(shape);
  const { textEncoder, vae } = sharedTensors(shape);
  const container = model.container ?? 'diffusers';
  const own = (tensors: readonly TensorSpec[]) => tensors.map((tensor) => ({ name: tensor.name, tensor }));
  const common = { libraryName: 'diffusers', pipelineTag: 'text-to-image' };
  if (container === 'none') return { ...common, weights: [], texts: [], hubConfig: {} };
  if (container === 'single-file' || container === 'ckpt') {
    const ldm: NamedTensor[] = [
      ...unet.map((tensor) => ({ name: `model.diffusion_model.${tensor.ldmName}`, tensor })),
      ...vae.map((tensor) => ({ name: `first_stage_model.${tensor.name}`, tensor })),
      ...textEncoder.map((tensor) => ({ name: `cond_stage_model.transformer.${tensor.name}`, tensor })),
    ];
    const weights =
      container === 'ckpt'
        ? planTorchZip('{name}.ckpt', ldm, dtype, 'state_dict')
        : planSafetensors('{name}.safetensors', ldm, dtype);
    return { ...common, weights: [weights], texts: [], hubConfig: {} };
  }
  const modelIndex = {
    _class_name: shape.pipeline,
    _diffusers_version: '0.30.0',
    scheduler: ['diffusers', 'PNDMScheduler'],
    text_encoder: ['transformers', 'CLIPTextModel'],
    tokenizer: ['transformers', 'CLIPTokenizer'],
    unet: ['diffusers', 'UNet2DConditionModel'],
    vae: ['diffusers', 'AutoencoderKL'],
  };
  return {
    ...common,
    weights: [
      planSafetensors('text_encoder/model.safetensors', own(textEncoder), dtype),
      planSafetensors('unet/diffusion_pytorch_model.safetensors', own(unet), dtype),
      planSafetensors('vae/diffusion_pytorch_model.safetensors', own(vae), dtype),
    ],
    texts: [
      { path: 'model_index.json', text: toJson(modelIndex) },
      { path: 'unet/config.json', text: toJson(unetConfig(shape)) },
    ],
    hubConfig: { diffusers: { _class_name: shape.pipeline } },
  };
}

const toJson = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
