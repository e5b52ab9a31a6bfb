import type { HubRepo } from '../types/hub.ts';
import type { Family } from '../types/weights.ts';

/** Family told by metadata alone (config, tags, pipeline); null when they do not say. The weights decide later. */
export function classifyFamily(repo: HubRepo): Family | null {
  const modelType = repo.config?.model_type;
  if (typeof modelType === 'string') return /^(llama|mllama)/.test(modelType) ? 'llama' : null;
  const tags = repo.tags.map((tag) => tag.toLowerCase());
  if (tags.some((tag) => tag.startsWith('diffusers:stablediffusion') || tag.startsWith('stable-diffusion')))
    return 'stable-diffusion';
  if (repo.gguf?.architecture === 'llama') return 'llama';
  if (tags.some((tag) => tag === 'llama' || tag.startsWith('license:llama'))) return 'llama';
  return null;
}
