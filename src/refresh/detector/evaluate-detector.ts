import {
  type DetectorScore,
  measureAccuracy,
  rateNearestEarlier,
  type Share,
  scorePairs,
  toFeatures,
} from '../../lineage/index.ts';
import { DETECTOR_FOLDER, readPhylogenyModel, readSets } from './files.ts';

/** One row of the evaluation: a group of families, by the detector and by the baseline. */
export interface DetectorRow {
  /** `generated`, or the name of a family that was really trained */
  family: string;
  /** whether any of it was seen in training */
  seen: boolean;
  children: number;
  detector: DetectorFigures;
  nearestEarlier: DetectorFigures;
}

export interface DetectorFigures {
  /** pair and direction right, "no parent" being a possible answer */
  strict: number;
  /** the same when a bit-equal copy of the parent counts as the parent */
  upToCopies: number;
  /** strict, when a parent must be named */
  forced: number;
  /** roots told to be roots, of all */
  roots: Share;
  /** parent, grandparent, great-grandparent */
  generations: Share[];
}

/** Judges a detector on families it was not trained on, and, marked as such, on the real ones it was. */
export async function evaluateDetector(
  options: { weights?: string; data?: string } = {},
): Promise<DetectorRow[]> {
  const data = options.data ?? DETECTOR_FOLDER;
  const model = await readPhylogenyModel(options.weights ?? DETECTOR_FOLDER);
  const groups = [
    { family: 'generated', seen: false, sets: await readSets(data, 'phylogeny-test') },
    ...(await realFamilies(data, 'phylogeny-zoo-test', false)),
    ...(await realFamilies(data, 'phylogeny-zoo-train', true)),
  ];
  return groups.map(({ family, seen, sets }) => {
    const detector = measureAccuracy(sets, (set) => scorePairs(toFeatures(set.table), model));
    return {
      family,
      seen,
      children: detector.children,
      detector: toFigures(detector),
      nearestEarlier: toFigures(measureAccuracy(sets, (set) => rateNearestEarlier(set.table))),
    };
  });
}

async function realFamilies(folder: string, name: string, seen: boolean) {
  const sets = await readSets(folder, name);
  return [...Map.groupBy(sets, (set) => set.family)].map(([family, own]) => ({ family, seen, sets: own }));
}

function toFigures(score: DetectorScore): DetectorFigures {
  const roots = { right: 0, of: 0 };
  for (const { roots: own } of score.byFamily.values()) {
    roots.right += own.right;
    roots.of += own.of;
  }
  const { strict, upToCopies, forced, generations } = score;
  return { strict, upToCopies, forced, roots, generations };
}
