import { HublineageError } from '../types/errors.ts';
import { hash32 } from './hash.ts';

/** Version of the position scheme. Any change to which positions are read, or to the hash over them, is a new version. */
export const SCHEME_VERSION = 2;

/** What decides positions. */
export interface SamplingScheme {
  /** stored values a matrix; smaller matrices are stored whole */
  valuesPerTensor: number;
  /** another seed is another scheme */
  seed: number;
}

/** What one model may cost, its headers included. */
export interface SamplingBudget {
  maxRequests: number;
  maxBytes: number;
}

export interface SamplingOptions extends SamplingScheme, SamplingBudget {}

export const DEFAULT_SAMPLING: Readonly<SamplingOptions> = Object.freeze({
  valuesPerTensor: 512,
  seed: 1,
  maxRequests: 256,
  maxBytes: 4_000_000,
});

/**
 * The number stored as `Fingerprint.scheme`: the version itself for the standard positions, and for others the version plus a
 * multiple of 1000 drawn from what differs, so that fingerprints at different positions can never be mistaken for comparable ones.
 */
export function schemeId({ valuesPerTensor, seed }: SamplingScheme): number {
  if (valuesPerTensor === DEFAULT_SAMPLING.valuesPerTensor && seed === DEFAULT_SAMPLING.seed)
    return SCHEME_VERSION;
  return SCHEME_VERSION + 1000 * (1 + hash32(`${valuesPerTensor}/${seed}`, 0));
}

/** UsageInvalid when a number is not one the scheme is defined for. */
export function checkSampling(options: SamplingOptions): void {
  const check = (name: keyof SamplingOptions, min: number, max: number) => {
    const value = options[name];
    if (!Number.isSafeInteger(value) || value < min || value > max)
      throw new HublineageError('UsageInvalid', `sampling.${name} is ${value}`, {
        where: `sampling.${name}`,
        hint: `use a whole number from ${min} to ${max}`,
      });
  };
  check('valuesPerTensor', 64, 2 ** 24);
  check('seed', 0, 2 ** 32 - 1);
  check('maxRequests', 1, 100_000);
  check('maxBytes', 1, 2 ** 32);
}
