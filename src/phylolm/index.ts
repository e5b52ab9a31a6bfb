export type { Completion } from '../lineage/index.ts';
export { type AnswersFile, openAnswers } from './answers-file.ts';
export {
  type Answer,
  type AskOptions,
  askModels,
  findKnown,
  type KnownAnswers,
} from './ask-models.ts';
export { type BehaviourDocument, compareByBehaviour } from './compare.ts';
export { createEndpoint, type Endpoint, type EndpointKind, type EndpointOptions } from './endpoint.ts';
export type { Clock } from './pace.ts';
export { readCompletions, readGenes } from './read-completions.ts';
