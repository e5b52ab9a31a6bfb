import type { Claim } from '../../types/claims.ts';
import { isClaim, makeClaim } from '../make-claim.ts';

type Metadata = Readonly<Record<string, string>>;
const MAX_GGUF_BASES = 32;
const SHA256 = /^(?:0x)?([0-9a-f]{64})$/i;

/** What training and conversion tools write into weight files: GGUF `general.*`, kohya `ss_*`, SAI modelspec. */
export function fromHeaderMetadata(metadata: Metadata): Claim[] {
  return [...fromGguf(metadata), ...fromKohya(metadata)];
}

/**
 * `general.source.*` is the repo a GGUF was converted from. `general.base_model.*` is copied by llama.cpp's converter from the source
 * repo's card, so it names the base of what was converted, one generation too far up as often as not: a hint.
 */
function fromGguf(metadata: Metadata): Claim[] {
  const get = (key: string) => own(metadata, `general.${key}`);
  const sources = ['source.huggingface.repository', 'source.repo_url', 'source.url'].map((key) =>
    makeClaim('gguf', get(key), {}),
  );
  const count = Math.min(
    Number.parseInt(get('base_model.count') ?? '0', 10) || MAX_GGUF_BASES,
    MAX_GGUF_BASES,
  );
  const bases = Array.from({ length: count }, (_, i) => {
    const url = get(`base_model.${i}.repo_url`);
    const organization = get(`base_model.${i}.organization`);
    const name = get(`base_model.${i}.name`);
    // llama.cpp writes names for people ("Llama 3 8B", "Meta Llama"), so only the URL is an id
    return makeClaim('gguf', url ?? (organization && name ? `${organization}/${name}` : name), {
      hint: true,
    });
  });
  return [...sources, ...bases].filter(isClaim);
}

/** kohya's sd-scripts name the checkpoint a LoRA was trained on, and hash it: `ss_new_sd_model_hash` is the sha256 of that file. */
function fromKohya(metadata: Metadata): Claim[] {
  const name = known(own(metadata, 'ss_sd_model_name'));
  const sha256 = SHA256.exec(own(metadata, 'ss_new_sd_model_hash')?.trim() ?? '')?.[1]?.toLowerCase() ?? null;
  const trainedOn = makeClaim('kohya', name ?? sha256, {
    sha256,
    relation: isKohyaLora(metadata) ? 'adapter' : null,
  });
  const merged = (own(metadata, 'modelspec.merged_from') ?? '')
    .slice(0, 10_000)
    .split(',')
    .slice(0, 32)
    .map((part) => makeClaim('kohya', part.trim(), { relation: 'merge', hint: true }));
  return [trainedOn, ...merged].filter(isClaim);
}

const isKohyaLora = (metadata: Metadata) => (own(metadata, 'ss_network_module') ?? '') !== '';
const known = (text: string | undefined) =>
  text === undefined || /^(?:none|null|\s*)$/i.test(text) ? undefined : text;
const own = (metadata: Metadata, key: string): string | undefined =>
  Object.hasOwn(metadata, key) && typeof metadata[key] === 'string' ? metadata[key] : undefined;
