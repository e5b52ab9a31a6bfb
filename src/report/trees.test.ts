import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HOSTILE, REPORT_OPTIONS, reportRows } from '../../test/fixtures/report-rows.ts';
import { toGraph } from './graph-of-families.ts';
import {
  buildFamilies,
  buildModelReport,
  buildReport,
  foldTree,
  type ReportRows,
  renderCycloneDx,
  renderDot,
  renderGraphml,
  renderMermaid,
  renderSarif,
  renderTree,
  renderTreeSvg,
} from './index.ts';

const families = () => buildReport(reportRows(), REPORT_OPTIONS).families;

/** Families from parent pointers: node i hangs under parents[i] (any index: also itself, or in a circle). */
function familyOf(parents: readonly number[], relation: 'finetune' | 'quantized' = 'quantized') {
  const name = (i: number) => `m/${i}`;
  const rows = reportRows();
  const built = buildFamilies({
    models: [],
    verdicts: [],
    families: parents.map((_, i) => ({ family: 'llama', root: name(0), repo: name(i), depth: 0 })),
    edges: parents.map((parent, i) => ({
      ...(rows.edges[0] as ReportRows['edges'][number]),
      child: name(i),
      parent: name(parent),
      relation,
    })),
  });
  return built[0]!;
}

describe('buildFamilies', () => {
  it('reads parents before children, and hangs a merge under its largest share', () => {
    const [family] = families();
    const merge = family?.nodes.find((node) => node.repo === 'c/Merge');
    expect(merge).toMatchObject({
      parent: 'a/Tuned',
      weight: 0.7,
      otherParents: [{ parent: 'd/Wrong', weight: 0.3 }],
    });
    const seen = new Set<string>();
    for (const node of family?.nodes ?? []) {
      if (node.parent !== null) expect(seen.has(node.parent)).toBe(true);
      seen.add(node.repo);
    }
  });

  it('calls an absent parent by what its children declare', () => {
    expect(families()[1]).toMatchObject({ root: 'virtual/llama-1', label: 'gone/Base (absent)', size: 2 });
  });

  it('loses and repeats nobody, whatever the edges', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30), { minLength: 1, maxLength: 30 }), (raw) => {
        const parents = raw.map((parent) => parent % raw.length);
        const family = familyOf(parents);
        expect(new Set(family.nodes.map((node) => node.repo)).size).toBe(parents.length);
        expect(family.nodes).toHaveLength(parents.length);
        expect(family.nodes[0]?.parent).toBeNull();
      }),
    );
  });

  it('walks a chain of 20,000 without running out of stack', () => {
    const family = familyOf(Array.from({ length: 20_000 }, (_, i) => Math.max(0, i - 1)));
    expect(family.depth).toBe(19_999);
    expect(foldTree(family.nodes, { maxRows: 50 }).length).toBeLessThanOrEqual(50);
  });
});

describe('foldTree', () => {
  it('folds leaves of one relation, and says how many', () => {
    const rows = foldTree(familyOf(Array(54).fill(0)).nodes, { maxRows: 200 });
    expect(rows.at(-1)).toMatchObject({ kind: 'group', text: 'and 43 more quantized' });
    expect(rows).toHaveLength(12);
  });

  it('accounts for every model, within the lines it may use', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1000), { minLength: 2, maxLength: 300 }),
        fc.integer({ min: 3, max: 60 }),
        (raw, maxRows) => {
          const family = familyOf(raw.map((parent, i) => (i === 0 ? 0 : parent % i)));
          const rows = foldTree(family.nodes, { maxRows });
          const drawn = rows.reduce(
            (sum, row) => sum + (row.kind === 'group' ? row.count : 1 + row.hidden),
            0,
          );
          expect(drawn).toBe(family.nodes.length);
          expect(rows.length).toBeLessThanOrEqual(maxRows);
        },
      ),
    );
  });

  it('never folds the model the page is about', () => {
    const family = familyOf(Array.from({ length: 1000 }, (_, i) => Math.floor(i / 7)));
    for (const repo of ['m/999', 'm/500', 'm/3']) {
      const rows = foldTree(family.nodes, { maxRows: 40, keep: new Set([repo]) });
      expect(rows.some((row) => row.kind === 'node' && row.node.repo === repo)).toBe(true);
    }
  });
});

describe('renderTree', () => {
  it('draws text', () => {
    const text = renderTree(families()[1]!, 'text', { focus: 'v/Child-2' });
    expect(text).toBe(
      'gone/Base (absent)\n├─ v/Child-1  finetune  97 %  + undeclared\n└─ v/Child-2  ◀  finetune  97 %  + undeclared\n',
    );
  });

  it('keeps hostile names inside their strings', () => {
    const [family] = families();
    const dot = renderTree(family!, 'dot');
    for (const line of dot.split('\n').slice(4, -2)) {
      const string = '"(?:[^"\\\\]|\\\\["\\\\])*"';
      expect(line).toMatch(
        new RegExp(
          `^ {2}${string}(?: -> ${string})? \\[(?:(?:label|style|comment)=(?:${string}|dashed)(?:, )?)+\\];$`,
        ),
      );
    }
    const mermaid = renderTree(family!, 'mermaid');
    expect(mermaid).not.toContain('<');
    expect(mermaid).toContain('-.->|merge|');
    expect(renderTree(family!, 'text', {})).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(JSON.parse(renderTree(family!, 'json')).root).toBe('base/Root-7B');
  });

  it('draws SVG whose rows never overlap, marking the model asked for', () => {
    const svg = renderTreeSvg(families()[0]!, {
      maxRows: 100,
      hubUrl: 'https://huggingface.co',
      focus: 'a/Tuned',
    });
    const ys = [...svg.matchAll(/<text x="\d+" y="(\d+)"/g)].map(([, y]) => Number(y));
    expect(new Set(ys).size).toBe(7);
    expect(svg.match(/class="focus"/g)).toHaveLength(1);
    expect(svg).not.toContain(HOSTILE.slice(0, 9));
  });
});

describe('exports', () => {
  it('GraphML holds each node once and each chosen edge', () => {
    const xml = renderGraphml(families());
    expect(xml.match(/<node /g)).toHaveLength(10);
    expect(xml.match(/<edge /g)).toHaveLength(9);
    expect(xml).not.toContain('<script');
    const declared = new Set([...xml.matchAll(/<key id="(\w+)"/g)].map(([, key]) => key));
    for (const [, key] of xml.matchAll(/<data key="(\w+)"/g)) expect(declared.has(key)).toBe(true);
  });

  it('draw all families as one graph whose edges end at nodes, a parent in another family included', () => {
    const all = families();
    const merge = { ...all[0]!, nodes: all[0]!.nodes.filter(({ repo }) => repo === 'c/Merge') };
    for (const drawn of [all, [merge]]) {
      const { nodes, edges } = toGraph(drawn);
      const ids = new Set(nodes.map(({ id }) => id));
      expect(ids.size).toBe(nodes.length);
      for (const { from, to } of edges) expect(ids.has(from) && ids.has(to)).toBe(true);
      expect(renderDot(drawn).match(/^digraph/gm)).toHaveLength(1);
      expect(renderMermaid(drawn).match(/^graph/gm)).toHaveLength(1);
      expect(renderMermaid(drawn)).not.toContain('undefined');
    }
    expect(toGraph([merge]).nodes.map(({ id }) => id)).toEqual(['c/Merge', 'd/Wrong']);
  });

  it('XML holds no code point that XML forbids', () => {
    const [family] = families();
    const label = `a\u0000\u0008\ufffe\uffff\ud800]]>&<b>"'`;
    const nodes = [{ ...family!.nodes[0]!, label, repo: label }];
    const xml = renderGraphml([{ ...family!, nodes }]);
    expect(xml).not.toMatch(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u);
    expect(xml).toContain(']]&gt;&amp;&lt;b&gt;&quot;&#39;');
  });

  it('CycloneDX tells the pedigree, with a stable serial number', () => {
    const make = () => renderCycloneDx(buildModelReport(reportRows(), 'c/Merge', REPORT_OPTIONS));
    const bom = JSON.parse(make());
    expect(make()).toBe(make());
    expect(bom).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1 });
    expect(bom.serialNumber).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    const { component } = bom.metadata;
    expect(component.purl).toBe(`pkg:huggingface/c/Merge@${'a'.repeat(40)}`);
    expect(component.pedigree.ancestors.map((row: { name: string }) => row.name)).toEqual([
      'a/Tuned',
      'd/Wrong',
    ]);
    expect(component.pedigree.ancestors[0].pedigree.ancestors[0].name).toBe('base/Root-7B');
    const references = [...make().matchAll(/"bom-ref": "(.*)"/g)].map(([, reference]) => reference);
    expect(new Set(references).size).toBe(references.length);
    expect(make().match(/"name": "base\/Root-7B"/g)!.length).toBeGreaterThan(1);
  });

  it('SARIF points at the line of the card, and is silent about what is fine', () => {
    const log = JSON.parse(
      renderSarif([
        { verdict: 'contradicted', reason: 'Declares X.', path: 'my model/README.md', line: 7 },
        { verdict: 'confirmed', reason: 'fine' },
      ]),
    );
    expect(log.version).toBe('2.1.0');
    expect(log.runs[0].results).toEqual([
      {
        ruleId: 'contradicted',
        level: 'error',
        message: { text: 'Declares X.' },
        locations: [
          {
            physicalLocation: { artifactLocation: { uri: 'my%20model/README.md' }, region: { startLine: 7 } },
          },
        ],
      },
    ]);
    const rules = log.runs[0].tool.driver.rules.map((rule: { id: string }) => rule.id);
    expect(rules).toContain('contradicted');
  });
});
