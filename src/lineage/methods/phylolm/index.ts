export { type AlleleCounts, type Completion, countAlleles, toAllele } from './alleles.ts';
export { compareModels, type Matrices, neiSimilarity, SIMILARITY_FLOOR } from './nei.ts';
export { joinNeighbours, type TreeNode, toNewick } from './neighbour-joining.ts';
