export { auditAll, auditModel } from './audit.ts';
export { parseCorrections } from './corrections.ts';
export type {
  AuditInput,
  AuditModelFacts,
  AuditOptions,
  AuditWorld,
  Correction,
  DeclaredFacts,
} from './types.ts';
export { buildAuditInputs, pairKey, pairsToCompare } from './world.ts';
