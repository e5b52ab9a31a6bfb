/** Strict accuracy in per cent as Neural Phylogeny's slides report it, on the authors' models: mean ± spread, best. */
export const NEURAL_PHYLOGENY: Record<string, Record<string, string>> = {
  'stable-diffusion': {
    'kmeans-after': '14.92 ± 7.45, best 18.64',
    'meanshift-after': '18.97 ± 1.01, best 19.02',
    'kmeans-along': '78.57 ± 21.28, best 99.73',
    'meanshift-along': '68.16 ± 24.75, best 80.54',
  },
  llama: {
    'kmeans-after': '0 ± 0, best 0',
    'meanshift-after': '0 ± 0, best 0',
    'kmeans-along': '48.83 ± 48.37, best 97.67',
    'meanshift-along': '75.58 ± 37.81, best 95.34',
  },
  dreambooth: {
    'kmeans-after': '100, best 100',
    'meanshift-after': '100, best 100',
    'kmeans-along': '100, best 100',
    'meanshift-along': '100, best 100',
  },
};

/** Accuracy in per cent of naming the parent as Neural Lineage's poster reports it, ResNet18, ImageNet to its first children. */
export const NEURAL_LINEAGE: Record<string, string> = { l1: '90.47, 98.92', cka: '75.59, 77.38' };
