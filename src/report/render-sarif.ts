import type { VerdictKind } from '../types/verdict.ts';
import { VERSION } from '../types/version.ts';
import { toPlain } from './escape.ts';
import { VERDICT_ORDER, VERDICT_WORDS } from './verdict-words.ts';

/** A verdict about a local model folder, with where in its card the claim stands. */
export interface SarifFinding {
  verdict: VerdictKind;
  reason: string;
  /** path of the card as the reader's tools know it, `README.md` when absent */
  path?: string;
  /** 1-based line of `base_model`; 1 when nothing is declared */
  line?: number;
}

const LEVELS: Partial<Record<VerdictKind, 'error' | 'warning'>> = {
  contradicted: 'error',
  relation_mismatch: 'warning',
  relative: 'warning',
  unresolved: 'warning',
};

/** SARIF 2.1.0, for code scanning: one result a finding, pointing at the card's line. Verdicts that ask for nothing give no result. */
export function renderSarif(findings: readonly SarifFinding[]): string {
  const results = findings
    .filter((finding) => VERDICT_WORDS[finding.verdict].severity > 0)
    .map((finding) => ({
      ruleId: finding.verdict,
      level: LEVELS[finding.verdict] ?? 'note',
      message: { text: toPlain(finding.reason) },
      locations: [
        {
          physicalLocation: {
            artifactLocation: {
              uri: (finding.path ?? 'README.md').split('/').map(encodeURIComponent).join('/'),
            },
            region: { startLine: Math.max(1, finding.line ?? 1) },
          },
        },
      ],
    }));
  const rules = VERDICT_ORDER.filter((verdict) => VERDICT_WORDS[verdict].severity > 0).map((verdict) => ({
    id: verdict,
    shortDescription: { text: VERDICT_WORDS[verdict].meaning },
    defaultConfiguration: { level: LEVELS[verdict] ?? 'note' },
  }));
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver: { name: 'hublineage', version: VERSION, rules } }, results }],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}
