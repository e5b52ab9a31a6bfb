import { filesKey } from '../copies.ts';
import type { Probe } from './probe.ts';

export const sameFiles: Probe = {
  name: 'same-files',
  question: 'Do both hold the same weight files?',
  value: '1 = yes',
  source: 'SHA-256 of every weight file, public on the Hub even for gated repos',
  ask({ child, parent }) {
    const [a, b] = [filesKey(child.model), filesKey(parent.model)];
    if (a === null || b === null)
      return { outcome: 'not_available', detail: 'Not all file hashes are known.' };
    return a === b
      ? {
          outcome: 'supports',
          value: 1,
          logOdds: 6,
          detail: 'Both hold the same weight files (equal SHA-256).',
        }
      : { outcome: 'neutral', value: 0, detail: 'The weight files differ.' };
  },
};
