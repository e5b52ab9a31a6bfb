/** Writes docs/reference/schema.md from the views' definitions. */
import { writeFileSync } from 'node:fs';
import { renderSchemaPage } from '../src/store/schema-page.ts';

writeFileSync(new URL('../docs/reference/schema.md', import.meta.url), renderSchemaPage());
