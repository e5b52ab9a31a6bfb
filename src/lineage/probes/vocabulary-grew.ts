import { OWN, type Probe } from './probe.ts';

export const vocabularyGrew: Probe = {
  name: 'vocabulary-grew',
  question: 'Did the vocabulary stay or grow from parent to child?',
  value: 'tokens gained',
  source: `${OWN}: tokens are added by fine-tuning, hardly ever removed`,
  ask({ child, parent }) {
    const [a, b] = [child.model.fingerprint.widths.vocab, parent.model.fingerprint.widths.vocab];
    if (a === null || b === null)
      return { outcome: 'not_available', detail: 'Vocabulary sizes are not known.' };
    if (a === b) return { outcome: 'neutral', value: 0, detail: 'Vocabularies have the same size.' };
    return a > b
      ? {
          outcome: 'supports',
          value: a - b,
          logOdds: 2.5,
          detail: `The vocabulary grew by ${a - b} tokens.`,
        }
      : {
          outcome: 'contradicts',
          value: a - b,
          logOdds: -2.5,
          detail: `The vocabulary would have lost ${b - a} tokens.`,
        };
  },
};
