import { fromDiffusersUnetName, fromHfLlamaName } from '../canonical/index.ts';
import { fromLdmModule, unflattenModule } from './kohya-names.ts';

export type FactorPart =
  | 'down'
  | 'up'
  | 'alpha'
  | 'magnitude'
  | 'hada_w1_a'
  | 'hada_w1_b'
  | 'lokr_w1'
  | 'lokr_w1_a'
  | 'lokr_w1_b'
  | 'lokr_w2'
  | 'lokr_w2_a'
  | 'lokr_w2_b'
  | 'other';

export interface Factor {
  /** where it sits: `llama` or `unet` with the canonical name of the weight it changes, or a text encoder, or something unread */
  place:
    | { component: 'llama' | 'unet'; target: string }
    | { component: 'text-encoder' | 'unknown'; target: null };
  part: FactorPart;
  scheme: 'peft' | 'kohya' | 'diffusers-lora' | 'lycoris';
  /** the module as the file names it: factors of one module share it */
  module: string;
}

const PARTS: Readonly<Record<string, FactorPart>> = {
  'lora_A.weight': 'down',
  'lora_B.weight': 'up',
  lora_embedding_A: 'down',
  lora_embedding_B: 'up',
  'lora_down.weight': 'down',
  'lora_up.weight': 'up',
  'lora.down.weight': 'down',
  'lora.up.weight': 'up',
  'lora_linear_layer.down.weight': 'down',
  'lora_linear_layer.up.weight': 'up',
  alpha: 'alpha',
  lora_magnitude_vector: 'magnitude',
  dora_scale: 'magnitude',
  hada_w1_a: 'hada_w1_a',
  hada_w1_b: 'hada_w1_b',
  lokr_w1: 'lokr_w1',
  lokr_w1_a: 'lokr_w1_a',
  lokr_w1_b: 'lokr_w1_b',
  lokr_w2: 'lokr_w2',
  lokr_w2_a: 'lokr_w2_a',
  lokr_w2_b: 'lokr_w2_b',
};

/** `…to_q_lora.down.weight` below a `processor`, as diffusers wrote until 0.21. */
const PROCESSOR = /^(.+)\.processor\.(to_q|to_k|to_v|to_out)_lora\.(down|up)\.weight$/;
const FACTOR =
  /^(.+?)\.(lora_[AB](?:\.[\w-]+)?\.weight|lora_embedding_[AB](?:\.[\w-]+)?|lora_magnitude_vector(?:\.[\w-]+)*|lora_(?:down|up|mid)\.weight|lora\.(?:down|up)\.weight|lora_linear_layer\.(?:down|up)\.weight|alpha|dora_scale|hada_[\w]+|lokr_[\w]+|diff|diff_b|oft_blocks)$/;

/** Reads one adapter tensor's name: which weight it changes and which factor it is. Null when it is no adapter tensor. */
export function parseFactorName(name: string): Factor | null {
  const processor = PROCESSOR.exec(name);
  if (processor !== null) {
    const [, stem, projection, part] = processor as unknown as [string, string, string, 'down' | 'up'];
    const module = `${stem}.${projection === 'to_out' ? 'to_out.0' : projection}`;
    return { module, part, scheme: 'diffusers-lora', place: placeOf(module) };
  }
  const match = FACTOR.exec(name);
  if (match === null) return null;
  const [, module, suffix] = match as unknown as [string, string, string];
  // PEFT puts the adapter's name between factor and `weight` when it is not `default`.
  const plain = suffix
    .replace(/^(lora_[AB])\.[\w-]+\.weight$/, '$1.weight')
    .replace(/^(lora_embedding_[AB]|lora_magnitude_vector)\..+$/, '$1');
  const part = Object.hasOwn(PARTS, plain) ? (PARTS[plain] as FactorPart) : 'other';
  return { module, part, scheme: schemeOf(module, plain), place: placeOf(module) };
}

function schemeOf(module: string, suffix: string): Factor['scheme'] {
  if (/^(?:hada|lokr|diff|oft)/.test(suffix)) return 'lycoris';
  if (/^lora_(?:unet|te\d?|transformer)_/.test(module)) return 'kohya';
  if (/^(?:unet|text_encoder(?:_2)?|transformer)\./.test(module)) return 'diffusers-lora';
  return suffix.startsWith('lora_A') ||
    suffix.startsWith('lora_B') ||
    suffix.startsWith('lora_emb') ||
    suffix.startsWith('lora_mag')
    ? 'peft'
    : 'diffusers-lora';
}

function placeOf(module: string): Factor['place'] {
  if (/^(?:lora_te\d?_|text_encoder(?:_\d)?\.|base_model\.model\.text_model\.)/.test(module)) {
    return { component: 'text-encoder', target: null };
  }
  const flat = /^(?:lora_unet|lycoris|lora_unet_lycoris)_(.+)$/.exec(module);
  if (flat !== null) {
    const dotted = unflattenModule(flat[1] as string);
    const canonical = dotted === null ? null : fromLdmModule(dotted);
    return canonical === null
      ? { component: 'unknown', target: null }
      : { component: 'unet', target: `${canonical}.weight` };
  }
  const llama = fromHfLlamaName(`${module}.weight`);
  if (llama !== null) return { component: 'llama', target: llama };
  const unet = fromDiffusersUnetName(`${module.replace(/^base_model\.model\./, '')}.weight`);
  if (unet !== null) return { component: 'unet', target: unet };
  return { component: 'unknown', target: null };
}
