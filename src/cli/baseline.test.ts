import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HublineageError } from '../types/errors.ts';
import { VERDICTS } from '../types/verdict.ts';
import { type Finding, readBaseline, writeBaseline } from './baseline.ts';

const folder = mkdtempSync(join(tmpdir(), 'baseline-'));
const file = join(folder, 'baseline.json');

const finding: fc.Arbitrary<Finding> = fc.record({
  repo: fc.string(),
  verdict: fc.constantFrom(...VERDICTS),
  declared: fc.array(fc.string(), { maxLength: 3 }),
});

describe('baselines', () => {
  it('know exactly what was written, whatever the order of names', () => {
    fc.assert(
      fc.property(fc.array(finding, { maxLength: 8 }), finding, (findings, other) => {
        writeBaseline(file, findings);
        const knows = readBaseline(file);
        for (const one of findings)
          expect(knows({ ...one, declared: [...one.declared].reverse() })).toBe(true);
        const same = (one: Finding) =>
          one.repo === other.repo &&
          one.verdict === other.verdict &&
          JSON.stringify([...one.declared].sort()) === JSON.stringify([...other.declared].sort());
        expect(knows(other)).toBe(findings.some(same));
      }),
      { numRuns: 50 },
    );
  });

  it('are the same file for the same findings, one a line', () => {
    const rows: Finding[] = [
      { repo: 'b/b', verdict: 'contradicted', declared: ['x/y'] },
      { repo: 'a/a', verdict: 'undeclared', declared: [] },
    ];
    writeBaseline(file, rows);
    const first = readFileSync(file, 'utf8');
    writeBaseline(file, [...rows].reverse());
    expect(readFileSync(file, 'utf8')).toBe(first);
    expect(first.split('\n').filter((line) => line.includes('repo'))).toHaveLength(2);
  });

  it('refuse what is none', () => {
    for (const text of [
      '',
      '{}',
      '[]',
      '{"schemaVersion":2,"findings":[]}',
      '{"schemaVersion":1,"findings":[{"repo":1}]}',
    ]) {
      writeFileSync(file, text);
      expect(() => readBaseline(file)).toThrow(HublineageError);
    }
    expect(() => readBaseline(join(folder, 'none.json'))).toThrow(/cannot be read/);
  });
});
