/** Writes the generated pages of docs/reference, and the schema of the configuration file. */
import { writeFileSync } from 'node:fs';
import { configJsonSchema } from '../src/config/index.ts';
import { renderReferencePages } from './reference/pages.ts';

for (const [name, text] of Object.entries(await renderReferencePages()))
  writeFileSync(new URL(`../docs/reference/${name}`, import.meta.url), text);
writeFileSync(
  new URL('../crawler.config.schema.json', import.meta.url),
  `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
);
