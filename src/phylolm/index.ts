export type { Completion } from '../lineage/index.ts';
export { type AskOptions, askModels } from './ask-models.ts';
export { type BehaviourDocument, compareByBehaviour } from './compare.ts';
export { createEndpoint, type Endpoint, type EndpointKind, type EndpointOptions } from './endpoint.ts';
export { readCompletions, readGenes } from './read-completions.ts';
