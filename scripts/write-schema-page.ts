/** Writes docs/reference/schema.md from the views' definitions and the saved queries. */
import { writeFileSync } from 'node:fs';
import { listQueries } from '../src/store/saved-queries.ts';
import { renderSchemaPage } from '../src/store/schema-page.ts';

writeFileSync(new URL('../docs/reference/schema.md', import.meta.url), renderSchemaPage(await listQueries()));
