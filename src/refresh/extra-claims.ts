import type { ClaimInput } from '../claims/index.ts';
import { isHublineageError } from '../types/errors.ts';
import type { HubFile, HubRepo, RepoFiles } from '../types/hub.ts';
import type { ModelWeights } from '../types/weights.ts';

const MAX_JSON_BYTES = 1_000_000;

/**
 * Sources of claims that lie beside the weights. `config.json` counts as a download on the Hub, so it is only asked for where the card
 * declares nothing; a UNet's own config does not count.
 */
export async function readExtraClaims(
  repo: HubRepo,
  files: RepoFiles,
  list: readonly HubFile[],
  weights: ModelWeights,
): Promise<Omit<ClaimInput, 'repo'>> {
  const has = (path: string) => list.some((file) => file.path === path);
  // opening an adapter reads its adapter_config.json already
  const adapterBase = weights.metadata['adapter.base_model_name_or_path'];
  const declares = repo.cardData?.base_model !== undefined && repo.cardData.base_model !== null;
  const configPath = has('unet/config.json')
    ? 'unet/config.json'
    : !declares && weights.kind === 'full' && has('config.json')
      ? 'config.json'
      : null;
  return {
    metadata: weights.metadata,
    ...(adapterBase === undefined ? {} : { adapterConfig: { base_model_name_or_path: adapterBase } }),
    ...(configPath ? { configJson: await readJson(files, configPath) } : {}),
  };
}

/** Null where the file is broken or missing: then it declares nothing, which is no failure of the repo. */
async function readJson(files: RepoFiles, path: string): Promise<unknown> {
  try {
    return JSON.parse(new TextDecoder().decode(await files.readSmall(path, MAX_JSON_BYTES)));
  } catch (error) {
    if (
      error instanceof SyntaxError ||
      isHublineageError(error, 'FileMissing') ||
      isHublineageError(error, 'BodyTooLarge')
    )
      return null;
    throw error;
  }
}
