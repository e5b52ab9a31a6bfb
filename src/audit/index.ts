export { adapterFits } from './adapter-fit.ts';
export { auditAll, auditModel } from './audit.ts';
export { parseCorrections } from './corrections.ts';
export type {
  AuditInput,
  AuditModelFacts,
  AuditOptions,
  AuditWorld,
  Correction,
  DeclaredFacts,
  ModelShape,
} from './types.ts';
export { buildAuditInputs, pairKey, pairsToCompare, pairsToFit } from './world.ts';
