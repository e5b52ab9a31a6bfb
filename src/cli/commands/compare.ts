import { existsSync } from 'node:fs';
import type { Comparison } from '../../refresh/index.ts';
import { openStore, type Store } from '../../store/index.ts';
import type { Edge } from '../../types/lineage.ts';
import { blocks, describeEdge, describeProbes, describeRelatedness, describeSum } from '../describe-pair.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandDefinition, Setup } from '../setup.ts';
import { describeSubject, toSubjectDocument } from '../subject-document.ts';
import { withSubject } from '../with-subject.ts';

export const compare: CommandDefinition = {
  name: 'compare',
  args: '<a> <b>',
  description: 'How two models relate, on demand: repos of the index or the Hub, or local folders.',
  examples: ['hublineage compare owner/a owner/b', 'hublineage compare ./my-model owner/base --json'],
  work: (setup, [a = '', b = '']) =>
    withIndexIfAny(setup, async (store) => {
      const { compareModels } = await import('../../refresh/index.ts');
      const found = await withSubject(setup, store, (context) => compareModels(a, b, context));
      await setup.io.out(
        setup.options.json
          ? `${JSON.stringify(toDocument(found), null, 2)}\n`
          : describe(found, setup.io.outColors.bold),
      );
      return EXIT.done;
    }),
};

async function withIndexIfAny<T>({ loaded }: Setup, work: (store: Store | null) => Promise<T>): Promise<T> {
  const { file } = loaded.config.database;
  const store = existsSync(file) ? await openStore(file, { readonly: true }) : null;
  try {
    return await work(store);
  } finally {
    await store?.close();
  }
}

function toDocument({ a, b, ...found }: Comparison) {
  return { a: toSubjectDocument(a), b: toSubjectDocument(b), ...found };
}

function describe(found: Comparison, bold: (text: string) => string): string {
  const { a, b, edge } = found;
  const nameOf = (key: string) => (key === a.model.repo ? a.name : b.name);
  const [child, parent] = edge?.child === b.model.repo ? [b, a] : [a, b];
  const probes = child === a ? found.probes.aFromB : found.probes.bFromA;
  return blocks([
    `${bold('A')} ${describeSubject(a)}\n${bold('B')} ${describeSubject(b)}`,
    describeRelatedness(found.relatedness),
    describeConclusion(edge, nameOf, bold),
    ...found.indexed.map(
      (row) =>
        `In the index, with all relatives: ${row.child} ← ${row.parent}: ${describeEdge(row)}, rank ${row.rank}.`,
    ),
    edge && found.evidence.length > 0
      ? `${bold('How the probability comes about')}\n${describeSum(edge, found.evidence)}`
      : null,
    `${bold(`Every probe, with ${nameOf(parent.model.repo)} as the parent of ${nameOf(child.model.repo)}`)}\n${describeProbes(probes)}`,
  ]);
}

function describeConclusion(
  edge: Edge | null,
  nameOf: (key: string) => string,
  bold: (text: string) => string,
): string {
  if (edge === null) return bold('Neither is seen to be made from the other, looking at these two alone.');
  const [child, parent] = [nameOf(edge.child), nameOf(edge.parent)];
  // factors tell shapes and little more: whatever else has these shapes fits as well
  if (edge.method === 'shape')
    return `${bold(`${child} fits ${parent}`)} by the shapes of its matrices, as it fits other models of that shape.`;
  return `${bold(`${child} was made from ${parent}`)}: ${describeEdge(edge)}, looking at these two alone.`;
}
