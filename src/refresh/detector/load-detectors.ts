import { LINEAGE_DETECTOR, type LineageOptions, PHYLOGENY_DETECTOR } from '../../lineage/index.ts';
import { readLineageModel, readPhylogenyModel } from './files.ts';

/** The weights a method needs, from the package's own files; nothing for methods that are not detectors. */
export async function loadDetectors(method: string): Promise<Pick<LineageOptions, 'detectors'>> {
  if (method === PHYLOGENY_DETECTOR) return { detectors: { phylogeny: await readPhylogenyModel() } };
  if (method === LINEAGE_DETECTOR) return { detectors: { lineage: await readLineageModel() } };
  return {};
}
