import type { VerdictKind } from '../types/verdict.ts';

export interface VerdictWords {
  /** shown beside the word, never instead of it */
  symbol: string;
  word: string;
  /** one clause for legends, from design: what the verdict means */
  meaning: string;
  /** 0 = nothing to do; findings are those above, most severe first */
  severity: number;
  /** colour group of badges */
  tone: 'good' | 'note' | 'warn' | 'bad' | 'plain';
}

export const VERDICT_WORDS: Readonly<Record<VerdictKind, VerdictWords>> = {
  contradicted: {
    symbol: '✗',
    word: 'contradicted',
    meaning: 'declares a model whose weights are unrelated',
    severity: 6,
    tone: 'bad',
  },
  relation_mismatch: {
    symbol: '≠',
    word: 'relation mismatch',
    meaning: 'right parent, another relation than declared',
    severity: 5,
    tone: 'warn',
  },
  relative: {
    symbol: '↔',
    word: 'relative',
    meaning: 'declares a model of the right family in another place',
    severity: 4,
    tone: 'warn',
  },
  unresolved: {
    symbol: '?',
    word: 'unresolved',
    meaning: 'what is declared is not a repo on the Hub',
    severity: 3,
    tone: 'note',
  },
  undeclared: {
    symbol: '+',
    word: 'undeclared',
    meaning: 'nothing declared, a parent found',
    severity: 2,
    tone: 'note',
  },
  ancestor: {
    symbol: '↑',
    word: 'ancestor',
    meaning: 'declares a true ancestor, not the direct parent',
    severity: 1,
    tone: 'note',
  },
  unknown: { symbol: '○', word: 'unknown', meaning: 'cannot be checked', severity: 0, tone: 'plain' },
  consistent: {
    symbol: '≈',
    word: 'consistent',
    meaning: 'the evidence cannot tell the declared parent from the inferred one',
    severity: 0,
    tone: 'good',
  },
  original: {
    symbol: '◆',
    word: 'original',
    meaning: 'nothing declared, nothing found',
    severity: 0,
    tone: 'plain',
  },
  confirmed: {
    symbol: '✓',
    word: 'confirmed',
    meaning: 'the declared parent is the inferred one, or a copy or cast of it',
    severity: 0,
    tone: 'good',
  },
};

/** All ten, most severe first: the order of every legend and count. */
export const VERDICT_ORDER = Object.keys(VERDICT_WORDS) as VerdictKind[];
