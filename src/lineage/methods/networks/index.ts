export { type ApproximatedSimilarity, approximateSimilarity, similarityOf } from './approximate.ts';
export { createConvNetwork, createDenseNetwork, type Params, type RunnableNetwork } from './runnable.ts';
export { stepOfFeatures } from './step-of-features.ts';
export { createTinyLlama, type TinyLlama } from './tiny-llama.ts';
