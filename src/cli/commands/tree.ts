import { readReportRows } from '../../refresh/index.ts';
import { buildFamilies, renderTree } from '../../report/index.ts';
import { HublineageError } from '../../types/errors.ts';
import { EXIT } from '../exit-codes.ts';
import { findModel, withIndex } from '../open-index.ts';
import type { CommandDefinition } from '../setup.ts';

const FORMATS = ['text', 'json', 'dot', 'mermaid'] as const;

export const tree: CommandDefinition = {
  name: 'tree',
  args: '<repo>',
  description: 'The family tree a model stands in.',
  options: [
    { flags: '--format <format>', description: 'how it is drawn', choices: FORMATS, default: 'text' },
  ],
  examples: ['hublineage tree owner/name', 'hublineage tree owner/name --format dot | dot -Tsvg > tree.svg'],
  work: ({ io, loaded, options: global }, args, options) =>
    withIndex(loaded.config.database.file, async (store) => {
      const repo = await findModel(store, args[0] ?? '');
      const [model] = await store.readView('models', { where: 'repo = ?', params: [repo] });
      const root = model?.family_root ?? null;
      if (root === null)
        throw new HublineageError(
          'ModelUnknown',
          `${repo} stands in no family: its weights were not compared (status ${model?.status ?? 'pending'}).`,
          {
            hint: `\`hublineage show ${repo}\` tells what is known about it.`,
          },
        );
      const family = buildFamilies(await readReportRows(store)).find((candidate) => candidate.root === root);
      if (family === undefined)
        throw new HublineageError('DatabaseInvalid', `The family of ${root} is not in the index.`, {
          hint: 'Run `hublineage infer --all`.',
        });
      const format = global.json ? 'json' : (options.format as (typeof FORMATS)[number]);
      await io.out(`${renderTree(family, format, { focus: repo }).trimEnd()}\n`);
      return EXIT.done;
    }),
};
