import { type LineageOptions, PHYLOGENY_DETECTOR } from '../../lineage/index.ts';
import { readPhylogenyModel } from './files.ts';

/** The weights a method needs, from the package's own files; nothing for methods that are not detectors. */
export async function loadDetectors(method: string): Promise<Pick<LineageOptions, 'detectors'>> {
  if (method === PHYLOGENY_DETECTOR) return { detectors: { phylogeny: await readPhylogenyModel() } };
  return {};
}
