import type { Claim } from '../../types/claims.ts';
import { isClaim, makeClaim } from '../make-claim.ts';

/** `base_model_name_or_path` of a PEFT adapter_config.json. */
export function fromAdapterConfig(config: unknown): Claim[] {
  if (!isRecord(config)) return [];
  return [makeClaim('adapter_config', config.base_model_name_or_path, { relation: 'adapter' })].filter(
    isClaim,
  );
}

/**
 * `_name_or_path` of config.json: where `from_pretrained` loaded from when the file was last saved. Often the true parent, as often a
 * stale path copied along several generations, hence a hint.
 */
export function fromConfig(config: unknown): Claim[] {
  if (!isRecord(config)) return [];
  return [makeClaim('config', config._name_or_path, { hint: true })].filter(isClaim);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
