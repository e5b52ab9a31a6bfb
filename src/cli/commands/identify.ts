import type { Identification } from '../../refresh/index.ts';
import { blocks, describeEdge, describeRelatives, describeSum } from '../describe-pair.ts';
import { EXIT } from '../exit-codes.ts';
import { formatTable } from '../format.ts';
import { withIndex } from '../open-index.ts';
import type { CommandDefinition } from '../setup.ts';
import { describeSubject, toSubjectDocument } from '../subject-document.ts';
import { withSubject } from '../with-subject.ts';

export const identify: CommandDefinition = {
  name: 'identify',
  args: '<model>',
  description: 'Place one model, a repo or a folder, into the index without changing it.',
  examples: ['hublineage identify ./my-model', 'hublineage identify owner/name --json'],
  work: (setup, [named = '']) =>
    withIndex(setup.loaded.config.database.file, async (store) => {
      const found = await withSubject(setup, store, async (context) => {
        const work = await import('../../refresh/index.ts');
        return work.identify(named, context);
      });
      const { subject, ...rest } = found;
      await setup.io.out(
        setup.options.json
          ? `${JSON.stringify({ model: toSubjectDocument(subject), ...rest }, null, 2)}\n`
          : describe(found, setup.io.outColors.bold),
      );
      return EXIT.done;
    }),
};

function describe(found: Identification, bold: (text: string) => string): string {
  const chosen = found.edges.filter((edge) => edge.rank === 1);
  const ties = found.edges.filter((edge) => edge.rank > 1);
  const own = found.subject.model.repo;
  return blocks([
    describeSubject(found.subject),
    chosen.length === 0
      ? bold(`No parent among ${found.compared} comparable models of the index.`)
      : chosen.map((edge) => `${bold(`Made from ${edge.parent}`)}: ${describeEdge(edge)}`).join('\n'),
    found.root === own ? null : `It falls into the family of ${found.root}.`,
    ties.length === 0
      ? null
      : `${bold('Ties')}\n${formatTable(
          ['parent', 'relation', 'probability'],
          ties.map((edge) => [edge.parent, edge.relation, Number(edge.probability.toPrecision(3))]),
        )}`,
    ...chosen.map((edge) => {
      const terms = found.evidence.filter((row) => row.parent === edge.parent);
      return terms.length === 0
        ? null
        : `${bold(`How the probability of ${edge.parent} comes about`)}\n${describeSum(edge, terms)}`;
    }),
    found.nearest.length === 0
      ? 'No model of the same shape in the index is related to it beyond chance.'
      : `${bold('Nearest relatives')}\n${describeRelatives(found.nearest)}`,
  ]);
}
