export { createHostileRepos } from './hostile/hostile-repos.ts';
export type {
  Clock,
  FaultClass,
  FaultRule,
  FaultSpec,
  LogEntry,
  Minihub,
  MinihubOptions,
  MinihubStats,
  QuotaLimits,
  QuotaTier,
  TokenRights,
} from './options.ts';
export { FAULT_CLASSES } from './options.ts';
export { createBytesFile, createTextFile } from './repos/bytes-file.ts';
export type { Commit, FileIdentity, RepoFile, RepoRecord, RepoSeed } from './repos/record.ts';
export { startMinihub } from './start-minihub.ts';
export type { PopulationTruth } from './virtual/declare-parents.ts';
export type { GenerateOptions, Population } from './virtual/generate-population.ts';
export { generatePopulation } from './virtual/generate-population.ts';
export type { VirtualModel, VirtualSpec } from './virtual/model.ts';
export { createVirtualRepos } from './virtual/virtual-repos.ts';
