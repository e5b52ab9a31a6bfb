import type { Store } from '../../store/index.ts';
import { BEHAVIOUR_TITLE, describeBehaviour } from '../describe-pair.ts';
import { EXIT } from '../exit-codes.ts';
import { formatCount, formatTable, toPrintable } from '../format.ts';
import { findModel, withIndex } from '../open-index.ts';
import type { CommandDefinition } from '../setup.ts';

const SHOWN_BY_BEHAVIOUR = 20;

/** Everything the index says about one model, as the public views hold it. */
async function readModel(store: Store, repo: string) {
  const [model] = await store.readView('models', { where: 'repo = ?', params: [repo] });
  const [verdict] = await store.readView('verdicts', { where: 'repo = ?', params: [repo] });
  return {
    model: model ?? null,
    verdict: verdict
      ? { ...verdict, declared: JSON.parse(verdict.declared), inferred: JSON.parse(verdict.inferred) }
      : null,
    declaredBases: await store.readView('declared_bases', {
      where: 'repo = ?',
      params: [repo],
      order: 'source, declared',
    }),
    parents: await store.readView('edges', {
      where: 'child = ?',
      params: [repo],
      order: 'rank, probability DESC',
    }),
    evidence: await store.readView('edge_evidence', {
      where: 'child = ?',
      params: [repo],
      order: 'parent, abs(log_odds) DESC',
    }),
    ancestors: await store.readView('ancestors', { where: 'repo = ?', params: [repo], order: 'depth' }),
    children: await store.readView('edges', {
      where: 'parent = ? AND rank = 1',
      params: [repo],
      order: 'relation, child',
    }),
    nearestByBehaviour: await store.loadBehaviour(repo, { limit: SHOWN_BY_BEHAVIOUR }),
    failures: await store.readView('failures', { where: 'repo = ?', params: [repo] }),
  };
}

export const show: CommandDefinition = {
  name: 'show',
  args: '<repo>',
  description: 'Everything known about one model: verdict, parents, evidence, children.',
  examples: ['hublineage show owner/name', 'hublineage show owner/name --json'],
  work: ({ io, loaded, options }, args) =>
    withIndex(loaded.config.database.file, async (store) => {
      const found = await readModel(store, await findModel(store, args[0] ?? ''));
      await io.out(options.json ? `${JSON.stringify(found, null, 2)}\n` : describe(found, io.outColors.bold));
      return EXIT.done;
    }),
};

function describe(found: Awaited<ReturnType<typeof readModel>>, bold: (text: string) => string): string {
  const { model, verdict, parents, evidence, children, declaredBases, failures } = found;
  const blocks: string[] = [];
  if (model) {
    const facts = [
      model.family,
      model.architecture,
      model.params === null ? null : `${formatCount(model.params)} parameters`,
      model.dtype,
      model.format,
      `status ${model.status}`,
      `${formatCount(model.downloads)} downloads`,
      model.license,
    ];
    blocks.push(`${bold(model.repo)}\n${toPrintable(facts.filter((fact) => fact !== null).join(' · '))}`);
  }
  if (verdict)
    blocks.push(
      `${bold(verdict.verdict)}${verdict.probability === null ? '' : `  (probability ${verdict.probability.toFixed(3)})`}\n${toPrintable(verdict.reason)}`,
    );
  const section = (title: string, columns: string[], rows: unknown[][]) => {
    if (rows.length > 0) blocks.push(`${bold(title)}\n${formatTable(columns, rows, 90)}`);
  };
  section(
    'Declared',
    ['base', 'resolved', 'relation', 'source'],
    declaredBases.map((row) => [row.declared, row.resolved_repo, row.relation, row.source]),
  );
  section(
    'Inferred parents',
    ['rank', 'parent', 'relation', 'probability', 'weight', 'method'],
    parents.map((row) => [
      row.rank,
      row.parent,
      row.relation,
      round(row.probability),
      round(row.weight),
      row.method,
    ]),
  );
  section(
    'Evidence',
    ['parent', 'probe', 'outcome', 'value', 'log-odds', 'detail'],
    evidence.map((row) => [
      row.parent,
      row.probe,
      row.outcome,
      round(row.value),
      round(row.log_odds),
      row.detail,
    ]),
  );
  section(
    'Children',
    ['child', 'relation', 'probability'],
    children.map((row) => [row.child, row.relation, round(row.probability)]),
  );
  if (found.nearestByBehaviour.length > 0)
    blocks.push(`${bold(BEHAVIOUR_TITLE)}\n${describeBehaviour(found.nearestByBehaviour)}`);
  section(
    'Failures',
    ['stage', 'code', 'attempts', 'error'],
    failures.map((row) => [row.stage, row.error_code, row.attempts, row.last_error]),
  );
  return `${blocks.join('\n\n')}\n`;
}

function round(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(4));
}
