export { LINEAGE_METHODS } from '../lineage/index.ts';
export { auditFolder, type FolderAudit } from './audit-folder.ts';
export { type Comparison, compareModels } from './compare-models.ts';
export {
  DETECTOR_KINDS,
  type DetectorFigures,
  type DetectorKind,
  type DetectorRow,
  evaluateDetector,
  readPhylogenyModel,
  type TrainDetectorOptions,
  type TrainedDetector,
  trainDetector,
} from './detector/index.ts';
export { type EventSink, type RunEvent, STAGES, type Stage } from './events.ts';
export { type Explanation, explainEdge, type LostCandidate, type PairStory } from './explain-edge.ts';
export { type Identification, identify } from './identify.ts';
export { type MatchedModels, matchModels } from './match-models.ts';
export {
  readCorrections,
  readReport,
  readReportRows,
  toReportOptions,
  type WrittenReport,
  writeReports,
} from './report-stage.ts';
export { createRunHub, type RunOptions, type RunOutcome, runStages } from './run.ts';
export { isFolder, type Subject, type SubjectContext, withSubjects } from './subject.ts';
