#!/usr/bin/env node
import { describeOldNode } from './node-version.ts';

// Everything else is imported behind this check: an older Node fails on the first file it cannot read, with a message that helps nobody.
const old = describeOldNode(process.versions.node);
if (old === null) {
  const { start } = await import('./start.ts');
  await start();
} else {
  process.stderr.write(old);
  process.exitCode = 78;
}
