import type { CommandDefinition } from '../setup.ts';
import { audit } from './audit.ts';
import { compare } from './compare.ts';
import { completion } from './completion.ts';
import { configCheck, configSchema, configShow } from './config.ts';
import { demo } from './demo.ts';
import { detectorEval, detectorTrain } from './detector.ts';
import { doctor } from './doctor.ts';
import { explain } from './explain.ts';
import { exportCommand } from './export.ts';
import { health } from './health.ts';
import { identify } from './identify.ts';
import { minihub } from './minihub.ts';
import { report } from './report.ts';
import { serve } from './serve.ts';
import { show } from './show.ts';
import { sql } from './sql.ts';
import { crawl, fingerprint, infer, refresh } from './stages.ts';
import { tree } from './tree.ts';

/** Every command, in the order help lists them. */
export const COMMANDS: readonly CommandDefinition[] = [
  refresh,
  crawl,
  fingerprint,
  infer,
  audit,
  report,
  show,
  tree,
  explain,
  compare,
  identify,
  sql,
  exportCommand,
  serve,
  minihub,
  demo,
  doctor,
  health,
  completion,
  detectorTrain,
  detectorEval,
  configShow,
  configCheck,
  configSchema,
];
