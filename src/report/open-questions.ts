import type { ModelStatus } from '../types/verdict.ts';
import type { ReportFinding } from './document.ts';

/** What is unknown about one model, and what would settle it. */
export function askOpenQuestions(
  finding: Omit<ReportFinding, 'openQuestions'>,
  statusOf: (repo: string) => ModelStatus | null,
): string[] {
  const questions: string[] = [];
  for (const { declared, resolved, source } of finding.declarations) {
    if (source === 'config' || source === 'prose') continue;
    if (resolved === null && finding.verdict === 'unresolved' && source === 'card') {
      questions.push(
        `Which repo "${clip(declared)}" means: the author, or a rename we did not see, would settle it.`,
      );
    }
    const status = resolved === null ? null : statusOf(resolved);
    if (resolved !== null && status === 'gated') {
      questions.push(
        `${resolved} is gated: its file hashes are public, its values are not. A token with access would settle it.`,
      );
    }
    if (resolved !== null && (status === 'pending' || status === 'failed')) {
      questions.push(`${resolved} has not been read (${status}): another run may settle it.`);
    }
  }
  if (finding.ties.length > 0) {
    const names = finding.ties.slice(0, 3).map((tie) => tie.label);
    const more = finding.ties.length > 3 ? ` and ${finding.ties.length - 3} more` : '';
    questions.push(
      `The evidence does not tell the chosen parent from ${names.join(', ')}${more}: more samples a tensor may.`,
    );
  }
  if (finding.parents.some((parent) => parent.kind === 'virtual')) {
    questions.push(
      'The parent itself is not in the index: adding it to the scope, if it still exists, would settle it.',
    );
  }
  if (finding.parents.some((parent) => parent.method === 'shape')) {
    questions.push(
      'An adapter was matched by shapes alone: which of the models of that shape it was trained on stays open.',
    );
  }
  const unseen = finding.evidence.filter((row) => row.outcome === 'not_available' || row.outcome === 'error');
  if (unseen.length > 0) {
    const probes = [...new Set(unseen.map((row) => row.probe))].sort().join(', ');
    questions.push(`Probes that could not look: ${probes}.`);
  }
  return [...new Set(questions)];
}

const clip = (text: string) => (text.length > 80 ? `${text.slice(0, 79)}…` : text);
