const LLAMA_LAYER = /^model\.layers\.(\d+)\./;

/** Containers of repeated UNet parts (and experts): the index after them says where in depth, other indices (`to_out.0`, `net.2`) say what. */
const UNET_INDEX =
  /(^|\.)(down_blocks|up_blocks|resnets|attentions|motion_modules|transformer_blocks|downsamplers|upsamplers|experts)\.\d+(?=\.|$)/g;

/** The canonical name without what says where in depth; names outside the repeated blocks are their own role. */
export function roleOf(name: string): string {
  return name.replace(LLAMA_LAYER, '').replace(UNET_INDEX, '$1$2');
}

/** Layer index of a Llama block's tensor, else null. */
export function layerOf(name: string): number | null {
  const match = LLAMA_LAYER.exec(name);
  return match === null ? null : Number(match[1]);
}
