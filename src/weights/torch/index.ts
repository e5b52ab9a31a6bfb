export { openTorch } from './open-torch.ts';
export type { TorchContents, TorchTensor } from './types.ts';
