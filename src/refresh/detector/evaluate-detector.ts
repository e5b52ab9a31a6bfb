import {
  type DetectorScore,
  measureAccuracy,
  measureLineage,
  measurePlainSimilarity,
  rateNearestEarlier,
  type Share,
  scorePairs,
  toFeatures,
} from '../../lineage/index.ts';
import { DETECTOR_FOLDER, readImages, readLineageModel, readPhylogenyModel, readSets } from './files.ts';
import type { DetectorKind } from './train-detector.ts';

/** One row of the evaluation: a group of families, by the detector and by the baseline. */
export interface DetectorRow {
  /** `generated`, or the name of a family that was really trained */
  family: string;
  /** whether any of it was seen in training */
  seen: boolean;
  children: number;
  detector: DetectorFigures;
  baseline: DetectorFigures;
}

export interface DetectorFigures {
  /** pair and direction right, "no parent" being a possible answer */
  strict: number;
  /** the same when a bit-equal copy of the parent counts as the parent; null where equality is not known (images) */
  upToCopies: number | null;
  /** strict, when a parent must be named */
  forced: number;
  /** roots told to be roots, of all */
  roots: Share;
  /** parent, grandparent, great-grandparent */
  generations: Share[];
}

/**
 * Judges a detector on families it was not trained on, and, marked as such, on the real ones it was. The phylogeny detector stands beside
 * the nearest earlier model, the lineage detector beside plain similarity on its own images, both on the paper's task: candidates are
 * all models that do not descend from the child.
 */
export async function evaluateDetector(options: {
  kind: DetectorKind;
  weights?: string;
  data?: string;
}): Promise<DetectorRow[]> {
  const weights = options.weights ?? DETECTOR_FOLDER;
  if (options.kind === 'lineage') {
    const model = await readLineageModel(weights);
    return judge(options, readImages, (sets) => measureLineage(sets, model), measurePlainSimilarity);
  }
  const model = await readPhylogenyModel(weights);
  return judge(
    options,
    readSets,
    (sets) => measureAccuracy(sets, (set) => scorePairs(toFeatures(set.table), model)),
    (sets) => measureAccuracy(sets, (set) => rateNearestEarlier(set.table)),
  );
}

async function judge<Set extends { family: string }>(
  { kind, data = DETECTOR_FOLDER }: { kind: DetectorKind; data?: string },
  read: (folder: string, name: string) => Promise<Set[]>,
  byDetector: (sets: Set[]) => DetectorScore,
  byBaseline: (sets: Set[]) => DetectorScore,
): Promise<DetectorRow[]> {
  const real = async (name: string, seen: boolean) =>
    [...Map.groupBy(await read(data, `${kind}-${name}`), (set) => set.family)].map(([family, sets]) => ({
      family,
      seen,
      sets,
    }));
  const groups = [
    { family: 'generated', seen: false, sets: await read(data, `${kind}-test`) },
    ...(await real('zoo-test', false)),
    ...(await real('zoo-train', true)),
  ];
  return groups.map(({ family, seen, sets }) => {
    const detector = byDetector(sets);
    return {
      family,
      seen,
      children: detector.children,
      detector: toFigures(detector, kind),
      baseline: toFigures(byBaseline(sets), kind),
    };
  });
}

function toFigures(score: DetectorScore, kind: DetectorKind): DetectorFigures {
  const roots = { right: 0, of: 0 };
  for (const { roots: own } of score.byFamily.values()) {
    roots.right += own.right;
    roots.of += own.of;
  }
  const { strict, upToCopies, forced, generations } = score;
  return { strict, upToCopies: kind === 'phylogeny' ? upToCopies : null, forced, roots, generations };
}
