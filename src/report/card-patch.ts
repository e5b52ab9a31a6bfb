import type { Edge, Relation } from '../types/lineage.ts';
import type { VerdictKind } from '../types/verdict.ts';

export interface CardPatchInput {
  verdict: VerdictKind;
  /** names as they stand in the card */
  declared: readonly string[];
  /** inferred parents; virtual ones are left out, since nobody can declare them */
  inferred: readonly string[];
  /** those of rank 1 say how sure that is */
  edges: readonly Pick<Edge, 'rank' | 'probability'>[];
  relationInferred: Relation | null;
  /** the card itself when it is at hand: the diff then has true lines and context */
  readme?: string | null;
}

/** The only relations the Hub accepts in a card. */
const HUB_RELATIONS: readonly Relation[] = ['finetune', 'adapter', 'merge', 'quantized'];
const SUGGESTED: readonly VerdictKind[] = ['undeclared', 'contradicted'];
/** The likeliest parent is named in the report however unsure it is; on a card it would stand as a fact. */
const SURE_ENOUGH = 0.75;

/**
 * A change to the card's front matter as a unified diff, for a person to read, doubt and send: never sent by us. Null where nothing is
 * to be suggested: another verdict, parents that are not on the Hub, or not sure enough.
 */
export function suggestCardPatch(input: CardPatchInput): string | null {
  const parents = input.inferred.filter((parent) => !parent.startsWith('virtual/'));
  if (!SUGGESTED.includes(input.verdict) || parents.length === 0) return null;
  if (input.edges.some(({ rank, probability }) => rank === 1 && probability < SURE_ENOUGH)) return null;
  const added = [...baseModelLines(parents), ...relationLines(input.relationInferred)];
  if (typeof input.readme === 'string') return diffOfCard(input.readme, added);
  const removed = input.declared.length > 0 ? baseModelLines(input.declared) : [];
  return unified('@@ front matter @@', [
    ...removed.map((line) => `-${line}`),
    ...added.map((line) => `+${line}`),
  ]);
}

const baseModelLines = (names: readonly string[]) =>
  names.length === 1
    ? [`base_model: ${toScalar(names[0] ?? '')}`]
    : ['base_model:', ...names.map((name) => `- ${toScalar(name)}`)];

const relationLines = (relation: Relation | null) =>
  relation !== null && HUB_RELATIONS.includes(relation) ? [`base_model_relation: ${relation}`] : [];

/** A repo id needs no quotes in YAML; anything else is a JSON string, which YAML reads alike and which cannot break the line. */
const toScalar = (text: string) =>
  /^[A-Za-z][\w.-]*\/[A-Za-z0-9][\w.-]*$/.test(text) ? text : JSON.stringify(text);

const unified = (hunk: string, lines: readonly string[]) =>
  `${['--- a/README.md', '+++ b/README.md', hunk, ...lines].join('\n')}\n`;

function diffOfCard(readme: string, added: readonly string[]): string {
  const lines = readme.split(/\r?\n/);
  const open = lines.findIndex((line) => line.trim() !== '');
  const close =
    lines[open]?.trim() === '---' ? lines.findIndex((line, i) => i > open && /^---\s*$/.test(line)) : -1;
  if (close < 0)
    return unified(`@@ -0,0 +1,${added.length + 2} @@`, ['+---', ...added.map((line) => `+${line}`), '+---']);
  const old = new Set<number>();
  for (let i = open + 1; i < close; i += 1) {
    if (!/^base_model(?:_relation)?\s*:/.test(lines[i] ?? '')) continue;
    old.add(i);
    // list items and continuation lines belong to the key above them
    for (let j = i + 1; j < close && /^(?:\s|-\s)/.test(lines[j] ?? ''); j += 1) old.add(j);
  }
  const at = old.size > 0 ? Math.min(...old) : close;
  const last = old.size > 0 ? Math.max(...old) : at - 1;
  const body: string[] = at > 0 ? [` ${lines[at - 1]}`] : [];
  body.push(...added.map((line) => `+${line}`));
  for (let i = at; i <= last; i += 1) body.push(`${old.has(i) ? '-' : ' '}${lines[i]}`);
  body.push(` ${lines[last + 1] ?? '---'}`);
  const count = (marks: string) => body.filter((line) => marks.includes(line[0] ?? '')).length;
  const start = Math.max(1, at);
  return unified(`@@ -${start},${count(' -')} +${start},${count(' +')} @@`, body);
}
