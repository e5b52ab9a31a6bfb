import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { HublineageError } from '../types/errors.ts';
import { VERDICTS, type Verdict } from '../types/verdict.ts';

/** What makes two findings the same one: probabilities and sentences move from night to night, these do not. */
export type Finding = Pick<Verdict, 'repo' | 'verdict' | 'declared'>;

const MAX_BYTES = 256 * 1024 * 1024;

const baselineSchema = z.object({
  schemaVersion: z.literal(1),
  findings: z.array(z.object({ repo: z.string(), verdict: z.enum(VERDICTS), declared: z.array(z.string()) })),
});

const toKey = ({ repo, verdict, declared }: Finding) => JSON.stringify([repo, verdict, [...declared].sort()]);

/** Findings that are known and accepted. @returns whether a finding is among them. @throws HublineageError UsageInvalid */
export function readBaseline(file: string): (finding: Finding) => boolean {
  const invalid = (message: string, cause?: unknown) =>
    new HublineageError('UsageInvalid', message, {
      where: file,
      hint: 'A baseline is written by `hublineage audit --write-baseline FILE`.',
      cause,
    });
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw invalid('The baseline cannot be read.', cause);
  }
  if (text.length > MAX_BYTES) throw invalid('The baseline is larger than 256 MB.');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw invalid(`The baseline is not valid JSON: ${(cause as Error).message}`, cause);
  }
  const parsed = baselineSchema.safeParse(json);
  if (!parsed.success) throw invalid('This is no baseline of findings.', parsed.error);
  const known = new Set(parsed.data.findings.map(toKey));
  return (finding) => known.has(toKey(finding));
}

/** Writes findings as a baseline, in an order that makes two of them comparable with `diff`; whole or not at all. */
export function writeBaseline(file: string, findings: readonly Finding[]): void {
  const rows = findings
    .map(({ repo, verdict, declared }) => ({ repo, verdict, declared: [...declared].sort() }))
    .sort((a, b) => (toKey(a) < toKey(b) ? -1 : 1));
  const lines = rows.map((row) => `    ${JSON.stringify(row)}`).join(',\n');
  writeFileSync(
    `${file}.tmp`,
    `{\n  "schemaVersion": 1,\n  "findings": [${lines === '' ? '' : `\n${lines}\n  `}]\n}\n`,
  );
  renameSync(`${file}.tmp`, file);
}
