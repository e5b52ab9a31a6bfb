import type { Explanation, LostCandidate, PairStory } from '../../refresh/index.ts';
import { VERDICT_WORDS } from '../../report/index.ts';
import {
  BEHAVIOUR_TITLE,
  blocks,
  bullets,
  describeBehaviour,
  describeEdge,
  describeProbes,
  describeRelatedness,
  describeSum,
} from '../describe-pair.ts';
import { EXIT } from '../exit-codes.ts';
import { toPrintable } from '../format.ts';
import { findModel, withIndex } from '../open-index.ts';
import type { CommandDefinition } from '../setup.ts';

export const explain: CommandDefinition = {
  name: 'explain',
  args: '<child> [parent]',
  description: 'The whole story of an edge: verdict, every probe, the arithmetic, who lost and why.',
  examples: ['hublineage explain owner/child', 'hublineage explain owner/child owner/parent --json'],
  work: ({ io, loaded, options, signal }, [childName = '', parentName]) =>
    withIndex(loaded.config.database.file, async (store) => {
      const { explainEdge } = await import('../../refresh/index.ts');
      const child = await findModel(store, childName);
      const parent = parentName === undefined ? null : await findParent(parentName);
      const story = await explainEdge(store, loaded.config, child, parent, signal);
      await io.out(options.json ? `${JSON.stringify(story, null, 2)}\n` : describe(story, io.outColors.bold));
      return EXIT.done;

      // virtual parents are in no listing
      async function findParent(name: string): Promise<string> {
        return name.startsWith('virtual/') ? name : findModel(store, name);
      }
    }),
};

function describe(story: Explanation, bold: (text: string) => string): string {
  const { finding, stories, lost } = story;
  const words = finding ? VERDICT_WORDS[finding.verdict] : null;
  return blocks([
    bold(story.child),
    finding && words
      ? `${bold(`${words.symbol} ${words.word}`)}  ${toPrintable(finding.reason)}`
      : 'No verdict yet: `hublineage audit` makes one.',
    stories.length === 0 ? 'No parent was found for it.' : null,
    ...stories.map((one) => describeStory(one, bold)),
    lost.length === 0 ? null : `${bold('Candidates that lost')}\n${lost.map(describeLost).join('\n')}`,
    finding && finding.openQuestions.length > 0
      ? `${bold('What would settle it')}\n${bullets(finding.openQuestions)}`
      : null,
    story.nearestByBehaviour.length > 0
      ? `${bold(BEHAVIOUR_TITLE)}\n${describeBehaviour(story.nearestByBehaviour)}`
      : null,
  ]);
}

function describeStory(story: PairStory, bold: (text: string) => string): string {
  const { edge, terms, probes } = story;
  return blocks([
    `${bold(`← ${story.parent}`)}  ${edge ? describeEdge(edge) : 'not a parent by the evidence of the index'}`,
    story.relatedness ? describeRelatedness(story.relatedness) : null,
    story.behaviour ? `${toPrintable(story.behaviour.detail)} It is no part of the sum.` : null,
    edge && terms.length > 0
      ? `${bold('How the probability comes about')}\n${describeSum(edge, terms)}`
      : null,
    terms.length > 0 ? `${bold('Findings behind it')}\n${describeProbes(terms)}` : null,
    probes.length > 0
      ? `${bold('Every probe about this pair alone')}\n${describeProbes(probes)}`
      : 'The samples of one of the two are not in the index, so no probe could look at the pair.',
  ]).trimEnd();
}

function describeLost({ parent, kind, relatedness, why }: LostCandidate): string {
  const distance = relatedness?.relativeDistance ?? null;
  const facts = distance === null ? kind : `${kind}, relative distance ${(100 * distance).toPrecision(3)} %`;
  return toPrintable(`- ${parent} (${facts}): ${why}`);
}
