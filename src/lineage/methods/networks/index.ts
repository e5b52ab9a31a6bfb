export { type ApproximatedSimilarity, approximateSimilarity, similarityOf } from './approximate.ts';
export {
  createConvNetwork,
  createDenseNetwork,
  createTinyLlama,
  type Params,
  type RunnableNetwork,
  type TinyLlama,
} from './runnable.ts';
