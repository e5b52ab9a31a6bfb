import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HOSTILE, REPORT_OPTIONS, reportRows } from '../../test/fixtures/report-rows.ts';
import { VERDICTS } from '../types/verdict.ts';
import {
  buildFamilyReport,
  buildModelReport,
  buildReport,
  type ReportDocument,
  renderCsv,
  renderHtml,
  renderJson,
  renderJsonParts,
  renderMarkdown,
  renderSummaryText,
  VERDICT_ORDER,
} from './index.ts';
import { toField } from './render-csv.ts';

const whole = () => buildReport(reportRows(), REPORT_OPTIONS);
const empty = () =>
  buildReport(
    {
      models: [],
      declaredBases: [],
      edges: [],
      evidence: [],
      families: [],
      verdicts: [],
      failures: [],
      runs: [],
    },
    REPORT_OPTIONS,
  );
const documents: [string, () => ReportDocument][] = [
  ['the whole index', whole],
  ['an empty index', empty],
  ['a family', () => buildFamilyReport(reportRows(), 'base/Root-7B', REPORT_OPTIONS)],
  ['a virtual family', () => buildFamilyReport(reportRows(), 'virtual/llama-1', REPORT_OPTIONS)],
  ['a model', () => buildModelReport(reportRows(), 'd/Wrong', REPORT_OPTIONS)],
  ['a hostile model', () => buildModelReport(reportRows(), `evil/${HOSTILE}`, REPORT_OPTIONS)],
  ['a model without family', () => buildModelReport(reportRows(), 'g/Gated', REPORT_OPTIONS)],
];

describe.each(documents)('%s', (_, make) => {
  it('fits the published schema, which leaves no field undescribed', () => {
    const schema = JSON.parse(
      readFileSync(new URL('../../data/schemas/report.schema.json', import.meta.url), 'utf8'),
    );
    const closed = JSON.parse(JSON.stringify(schema), (_key, value) =>
      value?.type === 'object' && value.properties ? { ...value, additionalProperties: false } : value,
    );
    for (const variant of [schema, closed]) {
      const validate = new Ajv({ strict: false, allErrors: true }).compile(variant);
      validate(JSON.parse(renderJson(make())));
      expect(validate.errors ?? []).toEqual([]);
    }
  });

  it('gives the same bytes from the same rows, in every format', () => {
    for (const render of [renderJson, renderHtml, renderMarkdown, renderCsv])
      expect(render(make())).toBe(render(make()));
  });

  it('reads back from JSON, whole or in pieces', () => {
    expect(JSON.parse(renderJson(make()))).toEqual(make());
    expect([...renderJsonParts(make())].join('')).toBe(renderJson(make()));
  });

  it('stands alone as HTML: nothing fetched, nothing inline but what the policy names, nothing of a stranger runs', () => {
    const html = renderHtml(make());
    expect(html).not.toMatch(/<(?:img|iframe|object|embed|link|base|form)\b/i);
    const tags = [...html.matchAll(/<[a-z](?:[^<>"]|"[^"]*")*>/gi)].map(([tag]) =>
      tag.replace(/"[^"]*"/g, '""'),
    );
    expect(tags.length).toBeGreaterThan(20);
    for (const tag of tags) expect(tag).not.toMatch(/\s(?:src|srcset|style|on\w+)\s*=/i);
    expect(html.match(/<script\b/g)).toHaveLength(1);
    expect(html).toMatch(
      /Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;sha256-/,
    );
    expect(html).not.toMatch(/url\(|@import/);
    for (const [, url] of html.matchAll(/href="([^"]*)"/g))
      expect(url).toMatch(/^(?:#[a-z-]+|https:\/\/[\w./-]+)$/);
    expect(html).not.toContain('\u202e');
  });

  it('balances every tag it opens', () => {
    const open: string[] = [];
    const html = renderHtml(make()).replace(
      /<script>[\s\S]*?<\/script>|<style>[\s\S]*?<\/style>|<!doctype html>/g,
      '',
    );
    for (const [, close, name = '', self] of html.matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^>]*?(\/?)>/gi)) {
      if (self || ['meta', 'br', 'input'].includes(name)) continue;
      if (close) expect(open.pop()).toBe(name);
      else open.push(name);
    }
    expect(open).toEqual([]);
  });
});

describe('buildReport', () => {
  it('puts the most severe first, then the most downloaded', () => {
    expect(whole().findings.map((finding) => [finding.verdict, finding.downloads])).toEqual([
      ['contradicted', 3000],
      ['unresolved', 1],
      ['undeclared', 70_000],
      ['undeclared', 12],
      ['undeclared', 10],
      ['undeclared', 9],
      ['undeclared', 0],
    ]);
  });

  it('does not depend on the order of rows', () => {
    const rows = reportRows();
    const shuffled = {
      ...rows,
      models: rows.models.toReversed(),
      edges: rows.edges.toReversed(),
      verdicts: rows.verdicts.toReversed(),
      families: rows.families.toReversed(),
      evidence: rows.evidence.toReversed(),
      declaredBases: rows.declaredBases.toReversed(),
    };
    expect(renderJson(buildReport(shuffled, REPORT_OPTIONS))).toBe(renderJson(whole()));
  });

  it('counts all ten verdicts, zeros included', () => {
    const counts = whole().verdictCounts;
    expect(counts.map((row) => row.verdict)).toEqual(VERDICT_ORDER);
    expect([...VERDICT_ORDER].sort()).toEqual([...VERDICTS].sort());
    expect(counts.reduce((sum, row) => sum + row.count, 0)).toBe(reportRows().verdicts.length);
  });

  it('counts a model as declaring by claims, not by hints', () => {
    expect(whole().coverage).toMatchObject({ models: 10, declaring: 3, withParent: 8, families: 2 });
  });

  it('counts adapters among the models whose weights were read', () => {
    const rows = reportRows();
    const read = rows.models.filter(({ status }) => status === 'fingerprinted').length;
    const models = rows.models.map((m) => (m.repo === 'd/Wrong' ? { ...m, status: 'adapter' as const } : m));
    expect(renderHtml(buildReport({ ...rows, models }, REPORT_OPTIONS))).toContain(
      `<b>${read}</b><span>read from their weights</span>`,
    );
  });

  it('tells what changed', () => {
    expect(whole().changes).toMatchObject({
      sinceRun: '1',
      goneModels: ['was/Here'],
      goneEdges: [{ child: 'e/Copy', parent: 'a/Tuned', relation: 'finetune' }],
      flipped: [{ repo: 'd/Wrong', from: 'unknown', to: 'contradicted' }],
    });
    expect(whole().changes?.newModels).toHaveLength(9);
  });

  it('tells the case: declared, inferred, ties, licences up the path, doubts, patch, correction', () => {
    const finding = whole().findings[0];
    expect(finding).toMatchObject({
      repo: 'd/Wrong',
      parents: [{ parent: 'base/Root-7B', rank: 1 }],
      ties: [{ parent: 'a/Tuned', rank: 2 }],
      licences: [
        { repo: 'd/Wrong', licence: 'mit' },
        { repo: 'base/Root-7B', licence: 'mit' },
      ],
      correction: { verdict: 'disputed', by: 'someone' },
    });
    expect(finding?.openQuestions.join(' ')).toMatch(/g\/Gated is gated.*does not tell.*tokens/);
    expect(finding?.cardPatch).toContain('-base_model: other/Model\n+base_model: base/Root-7B');
  });

  it('refuses a model or family that is not there, saying which', () => {
    expect(() => buildModelReport(reportRows(), 'no/Such', REPORT_OPTIONS)).toThrow(/no\/Such/);
    expect(() => buildFamilyReport(reportRows(), 'a/Tuned', REPORT_OPTIONS)).toThrow(
      /a\/Tuned is not the root/,
    );
  });

  it('keeps the siblings, ancestors and descendants in a model report, and nothing else', () => {
    const { families } = buildModelReport(reportRows(), 'b/Tuned-GGUF', REPORT_OPTIONS);
    expect(families[0]?.nodes.map((node) => node.repo)).toEqual([
      'base/Root-7B',
      'a/Tuned',
      'b/Tuned-GGUF',
      'c/Merge',
    ]);
    expect(families[0]?.size).toBe(7);
  });
});

describe('Markdown', () => {
  it('leads with verdicts and names every finding', () => {
    const markdown = renderMarkdown(whole());
    expect(markdown.indexOf('## Verdicts')).toBeLessThan(markdown.indexOf('## Findings'));
    expect(markdown.indexOf('## Findings')).toBeLessThan(markdown.indexOf('## Families'));
    expect(markdown).toContain('✗ contradicted');
    expect(markdown).toContain('gone/Base (absent)');
  });

  it('lets no stranger write markup', () => {
    const markdown = renderMarkdown(whole())
      .replace(/^(`{3,})[\s\S]*?^\1$/gm, '')
      .replace(/\\[!-/:-@[-`{-~]/g, '')
      .replace(/(?<!`)(`+)(?!`)[\s\S]*?(?<!`)\1(?!`)/g, '');
    expect(markdown).not.toMatch(/<(?!\/?(?:details|summary)\b)/);
    expect(markdown).not.toContain('](javascript');
  });
});

describe('CSV', () => {
  /** RFC 4180, as any spreadsheet reads it. */
  const parse = (csv: string) =>
    [...csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)]
      .reduce<string[][]>(
        (rows, [, quoted, plain, end]) => {
          rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
          if (end === '\r\n') rows.push([]);
          return rows;
        },
        [[]],
      )
      .slice(0, -1);

  it('holds one row a verdict and reads back', () => {
    const rows = parse(renderCsv(whole()));
    expect(rows[0]?.slice(0, 3)).toEqual(['repo', 'verdict', 'declared']);
    expect(rows).toHaveLength(reportRows().verdicts.length + 1);
    for (const row of rows) expect(row).toHaveLength(13);
    const merge = rows.find((row) => row[0] === 'c/Merge');
    expect(JSON.parse(merge?.[4] ?? '')).toEqual(['a/Tuned', 'd/Wrong']);
  });

  it('brings any text back, and starts no formula', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 20 }), { minLength: 1, maxLength: 5 }), (values) => {
        const [row = []] = parse(`${values.map(toField).join(',')}\r\n`);
        expect(row.map((field, i) => (field === `'${values[i]}` ? values[i] : field))).toEqual(values);
        for (const field of row) expect(field).not.toMatch(/^[=+\-@\t\r]/);
      }),
    );
  });
});

describe('the summary', () => {
  it('fits ten findings on one line each, plain when asked', () => {
    const text = renderSummaryText(whole(), { top: 3, color: false, width: 100 });
    expect(text).toContain('10 models');
    expect(text).toContain('Most important findings (3 of 7)');
    expect(text).toMatch(/✗ contradicted {2} *3 k ↓ {2}d\/Wrong {2}says g\/Gated, found base\/Root-7B/);
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    for (const line of text.split('\n')) expect([...line].length).toBeLessThanOrEqual(101);
  });

  it('colours when asked, and says plainly when there is nothing', () => {
    expect(renderSummaryText(whole(), { top: 3, color: true })).toContain('\u001b[31m');
    expect(renderSummaryText(empty(), { top: 3, color: false })).toContain('No finding calls for a look.');
  });
});
