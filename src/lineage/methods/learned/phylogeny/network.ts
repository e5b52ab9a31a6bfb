import type { ParameterSpec } from '../tensor-spec.ts';
import { NODE_WIDTH, PAIR_WIDTH } from './features.ts';

/** Sizes of the phylogeny detector; they travel with the weights. */
export interface PhylogenySizes {
  nodeWidth: number;
  pairWidth: number;
  /** width of a model's token and of a pair's edge */
  width: number;
  heads: number;
  layers: number;
}

export const DEFAULT_SIZES: PhylogenySizes = {
  nodeWidth: NODE_WIDTH,
  pairWidth: PAIR_WIDTH,
  width: 32,
  heads: 4,
  layers: 2,
};

/**
 * The detector, our own design (Neural Phylogeny published no details of its own): a transformer over all models of a set without
 * positional encoding. Tokens are models, every ordered pair (child, candidate) is an edge. In each layer
 *   1. a child attends to its candidates; edges add to the attention logits and to what is attended to;
 *   2. the token goes through a two-layer perceptron;
 *   3. the edge is renewed from itself, the edge the other way round, and both tokens.
 * At the end each edge gets a logit, each model one for "no parent here"; a softmax over both is the child's distribution.
 * Layers of pre-norm type (Xiong et al. 2020), so that small sets of weights train without a warm-up.
 */
export function phylogenyParameters({
  nodeWidth,
  pairWidth,
  width: d,
  heads,
  layers,
}: PhylogenySizes): ParameterSpec[] {
  const specs: ParameterSpec[] = [];
  const matrix = (name: string, rows: number, cols: number, gain = 1) =>
    specs.push({ name, shape: [rows, cols], start: gain / Math.sqrt(rows) });
  const bias = (name: string, size: number) => specs.push({ name, shape: [size], start: 'zeros' });
  const norm = (name: string) => {
    specs.push({ name: `${name}.gain`, shape: [d], start: 'ones' });
    bias(`${name}.bias`, d);
  };
  const edge = (name: string, gain: number) => {
    matrix(`${name}.own`, d, d, gain);
    matrix(`${name}.reverse`, d, d, gain);
    matrix(`${name}.child`, d, d, gain);
    matrix(`${name}.parent`, d, d, gain);
    bias(`${name}.bias`, d);
  };
  matrix('token.in', nodeWidth, d);
  bias('token.bias', d);
  matrix('edge.in', pairWidth, d);
  bias('edge.bias', d);
  for (let l = 0; l < layers; l++) {
    norm(`${l}.attend.norm`);
    for (const part of ['query', 'key', 'value']) matrix(`${l}.attend.${part}`, d, d);
    matrix(`${l}.attend.edge-logit`, d, heads);
    matrix(`${l}.attend.edge-value`, d, d, 0.7);
    matrix(`${l}.attend.out`, d, d, 0.5);
    norm(`${l}.think.norm`);
    matrix(`${l}.think.in`, d, 2 * d);
    bias(`${l}.think.bias`, 2 * d);
    matrix(`${l}.think.out`, 2 * d, d, 0.5);
    edge(`${l}.renew`, 0.5);
  }
  edge('decide', 0.7);
  matrix('decide.logit', d, 1);
  norm('none.norm');
  matrix('none.in', d, d);
  bias('none.bias', d);
  matrix('none.logit', d, 1);
  bias('none.logit-bias', 1);
  return specs;
}
