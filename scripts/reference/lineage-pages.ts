import { PROBE_WORDS } from '../../src/lineage/probe-words.ts';
import { VERDICT_ORDER, VERDICT_WORDS } from '../../src/report/index.ts';
import { OUTCOMES, RELATIONS } from '../../src/types/lineage.ts';
import { OUTCOME_MEANINGS, RELATION_MEANINGS } from '../../src/types/relation-meanings.ts';
import type { VerdictKind } from '../../src/types/verdict.ts';
import { code, page, table } from './markdown.ts';

/** What it takes, and what whoever is concerned can do. */
const IN_DETAIL: Readonly<Record<VerdictKind, string>> = {
  contradicted:
    'Said only where the engine has the weights of both, the chance of such a difference between relatives is below `lineage.contradictionPValue`, no alarm says that units were permuted, and every base the card names was checked. It says nothing about why. [How to dispute it](../how-to/disputing.md).',
  relation_mismatch:
    'Said where a relation was typed that the bits exclude: a "fine-tune" whose values are all equal to its parent\'s, say. Relations the Hub filled in by itself are not held against anybody.',
  relative:
    "The declared model is a sibling, a descendant or another member of the same family. Where only the order of two relatives is in doubt, the author's word stands and the verdict is `consistent`.",
  unresolved:
    "The name leads to no repo: deleted, renamed in a way that was not followed, mistyped, or a path on somebody's disk. Correcting the card settles it.",
  undeclared:
    'Reports suggest a change to the card for this one, as a diff for a person to read and send; nothing is ever sent by the program.',
  ancestor: 'True, and less than it could be: the direct parent lies between the two.',
  unknown:
    'The declared base, or the model itself, is gated, has no weights, lies in a format that is not read, or was not read yet. It counts for nobody and against nobody.',
  consistent: 'The declared parent is in the tie set of the inferred one, or a quantised copy of it.',
  original: 'Full weights were read, and nothing in the index comes before them.',
  confirmed: 'Copies and casts of the declared parent count as the parent.',
};

/** docs/reference/verdicts.md */
export function renderVerdictsPage(): string {
  return page('Verdicts and relations', 'src/report/verdict-words.ts and src/types', [
    'A verdict holds what a card declares against the edges inferred from the weights. What is declared is never evidence for an edge. Most severe first:',
    table(
      ['', 'verdict', 'meaning', 'a finding'],
      VERDICT_ORDER.map((verdict) => {
        const { symbol, meaning, severity } = VERDICT_WORDS[verdict];
        return [symbol, `[${code(verdict)}](#${verdict})`, meaning, severity > 0 ? 'yes' : 'no'];
      }),
    ),
    `${code('--fail-on')} takes these names. The view [${code('verdicts')}](schema.md#verdicts) holds one row a model, with a sentence that names the evidence.`,
    ...VERDICT_ORDER.map((verdict) => {
      const { symbol, word, meaning } = VERDICT_WORDS[verdict];
      return `### ${verdict}\n\n${symbol} ${word}: ${meaning}. ${IN_DETAIL[verdict]}`;
    }),
    '## Relations',
    "The first four are the Hub's own words for `base_model_relation`; a card can declare no others.",
    table(
      ['relation', 'the child is'],
      RELATIONS.map((relation) => [code(relation), RELATION_MEANINGS[relation]]),
    ),
  ]);
}

/** docs/reference/probes.md */
export function renderProbesPage(): string {
  return page('Probes', 'src/lineage/probe-words.ts', [
    `Each probe asks one question about one pair of models. Its answers are rows of [${code('edge_evidence')}](schema.md#edge_evidence), and ${code('hublineage explain CHILD')} prints them with the arithmetic: the log-odds of an edge's rows add up to logit(probability).`,
    'Where a pair is no edge of the index, `explain` and `compare` show what each probe is worth by itself; those numbers are not a probability and are not added up.',
    table(
      ['outcome', ''],
      OUTCOMES.map((outcome) => [code(outcome), OUTCOME_MEANINGS[outcome]]),
    ),
    ...Object.entries(PROBE_WORDS).map(
      ([name, { question, value, source }]) =>
        `## ${name}\n\n${question}\n\nValue: ${value ?? 'none'}. Source: ${source}.`,
    ),
  ]);
}
