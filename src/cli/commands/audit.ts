import { relative, sep } from 'node:path';
import type { FolderAudit } from '../../refresh/index.ts';
import { renderSarif, VERDICT_ORDER, VERDICT_WORDS } from '../../report/index.ts';
import { HublineageError } from '../../types/errors.ts';
import type { VerdictKind } from '../../types/verdict.ts';
import { type Finding, readBaseline, writeBaseline } from '../baseline.ts';
import { blocks, bullets, describeEdge, describeRelatives } from '../describe-pair.ts';
import { EXIT } from '../exit-codes.ts';
import { toPrintable } from '../format.ts';
import { withIndex } from '../open-index.ts';
import type { CommandDefinition, Setup } from '../setup.ts';
import { describeSubject, toSubjectDocument } from '../subject-document.ts';
import { withSubject } from '../with-subject.ts';
import { FAIL_ON, runAndTell } from './stages.ts';

const FORMATS = ['text', 'json', 'sarif'] as const;
type Format = (typeof FORMATS)[number];

export const audit: CommandDefinition = {
  name: 'audit',
  args: '[dir]',
  description:
    'Hold what cards declare against the inferred edges; with a folder, check one model before it is published.',
  options: [
    FAIL_ON,
    { flags: '--baseline <file>', description: 'findings in this file do not count for --fail-on' },
    { flags: '--write-baseline <file>', description: 'write the findings of today as a baseline' },
    { flags: '--format <format>', description: 'how a folder is reported on', choices: FORMATS },
    { flags: '--as <repo>', description: 'the repo the folder is, or will be, published as' },
  ],
  examples: [
    'hublineage audit --fail-on contradicted --baseline accepted.json',
    'hublineage audit ./my-model --fail-on contradicted,undeclared',
    'hublineage audit ./my-model --as owner/my-model --format sarif > audit.sarif',
  ],
  async work(setup, [folder], options) {
    const known = typeof options.baseline === 'string' ? readBaseline(options.baseline) : () => false;
    const failOn = (options.failOn as VerdictKind[] | undefined) ?? [];
    const isNew = (finding: Finding) => failOn.includes(finding.verdict) && !known(finding);
    if (folder !== undefined) return auditOne(setup, folder, options, isNew);
    if (options.format !== undefined || options.as !== undefined)
      throw new HublineageError('UsageInvalid', '--format and --as are for a folder.', {
        hint: 'Try `hublineage audit ./my-model --format sarif`; `hublineage report` writes the reports on the index.',
      });
    const code = await runAndTell(setup, ['audit'], 'audit', {});
    if (code !== EXIT.done && code !== EXIT.someFailed) return code;
    const findings = await readFindings(setup, failOn);
    if (typeof options.writeBaseline === 'string') writeBaseline(options.writeBaseline, findings);
    return findings.some(isNew) ? EXIT.findings : code;
  },
};

/** What calls for a look by itself, and what was asked for besides. */
async function readFindings({ loaded }: Setup, failOn: readonly VerdictKind[]): Promise<Finding[]> {
  const flagged = VERDICT_ORDER.filter(
    (verdict) => VERDICT_WORDS[verdict].severity > 0 || failOn.includes(verdict),
  );
  const marks = flagged.map(() => '?').join(', ');
  return withIndex(loaded.config.database.file, async (store) => {
    const rows = await store.readView('verdicts', { where: `verdict IN (${marks})`, params: flagged });
    return rows.map(({ repo, verdict, declared }) => ({
      repo,
      verdict,
      declared: JSON.parse(declared) as string[],
    }));
  });
}

async function auditOne(
  setup: Setup,
  folder: string,
  options: Record<string, unknown>,
  isNew: (finding: Finding) => boolean,
): Promise<number> {
  const format = (options.format as Format | undefined) ?? (setup.options.json ? 'json' : 'text');
  const as = (options.as as string | undefined) ?? null;
  return withIndex(setup.loaded.config.database.file, async (store) => {
    const { auditFolder } = await import('../../refresh/index.ts');
    const found = await withSubject(setup, store, (context) => auditFolder(folder, context, as));
    await setup.io.out(RENDERERS[format](found, folder, setup));
    const { severity } = VERDICT_WORDS[found.verdict.verdict];
    if (typeof options.writeBaseline === 'string')
      writeBaseline(options.writeBaseline, severity > 0 ? [found.verdict] : []);
    return isNew(found.verdict) ? EXIT.findings : EXIT.done;
  });
}

const RENDERERS: Record<Format, (found: FolderAudit, folder: string, setup: Setup) => string> = {
  text: describe,
  json: ({ subject, ...rest }) =>
    `${JSON.stringify({ model: toSubjectDocument(subject), ...rest }, null, 2)}\n`,
  sarif: ({ verdict, cardLine }, folder) =>
    renderSarif([
      { verdict: verdict.verdict, reason: verdict.reason, path: toCardPath(folder), line: cardLine ?? 1 },
    ]),
};

/** Code scanning wants paths below the checkout's root, which is where such a command runs. */
function toCardPath(folder: string): string {
  const path = relative(process.cwd(), folder).split(sep).join('/');
  return path === '' || path.startsWith('..') ? 'README.md' : `${path}/README.md`;
}

function describe(found: FolderAudit, _folder: string, { io }: Setup): string {
  const { bold } = io.outColors;
  const { verdict, subject, claims } = found;
  const words = VERDICT_WORDS[verdict.verdict];
  const probability = verdict.probability === null ? '' : `  (probability ${verdict.probability.toFixed(3)})`;
  const chosen = found.edges.filter((edge) => edge.rank === 1);
  return blocks([
    `${bold(`${words.symbol} ${words.word}`)}${probability}\n${toPrintable(verdict.reason)}`,
    describeSubject(subject),
    claims.length === 0
      ? 'Nothing is declared.'
      : `${bold('Declared')}\n${bullets(
          claims.map(
            ({ source, raw, relation, resolvedRepo, hint }) =>
              `${source}${hint ? ' (a hint)' : ''}: ${raw}${relation === null ? '' : ` as ${relation}`} → ${resolvedRepo ?? 'no repo known'}`,
          ),
        )}`,
    chosen.length === 0
      ? null
      : `${bold('Found')}\n${bullets(chosen.map((edge) => `${edge.parent}: ${describeEdge(edge)}`))}`,
    found.nearest.length === 0 ? null : `${bold('Nearest relatives')}\n${describeRelatives(found.nearest)}`,
    found.cardPatch === null
      ? null
      : `${bold('A change to the card that would agree with the weights')}\n${toPrintableDiff(found.cardPatch)}`,
    found.notes.length === 0 ? null : `${bold('Notes')}\n${bullets(found.notes)}`,
  ]);
}

/** Lines and tabs stay, so that the diff still applies; nothing else in a card may move the cursor. */
function toPrintableDiff(diff: string): string {
  const line = (text: string) => text.split('\t').map(toPrintable).join('\t');
  return diff.trimEnd().split('\n').map(line).join('\n');
}
