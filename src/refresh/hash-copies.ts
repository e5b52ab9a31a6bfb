import type { LineageModel } from '../types/lineage.ts';
import { createLocalRepo } from './local-repo.ts';
import type { Subject } from './subject.ts';

/**
 * Two people who quantise the same model get the same values, so of quantised models only equal files tell a copy. A folder's files have
 * no hashes until they are read whole, which takes seconds a gigabyte: done only where sizes and samples already agree with another model.
 * @returns the subject, its files with their sha256 where that was worth knowing
 */
export async function hashCopies(subject: Subject, others: Iterable<LineageModel>): Promise<Subject> {
  const { fingerprint } = subject.model;
  if (subject.origin !== 'folder' || !fingerprint.quantized) return subject;
  if (![...others].some((other) => mayBeCopy(subject.model, other))) return subject;
  const folder = createLocalRepo(subject.model.repo);
  const files = [];
  for (const file of fingerprint.files) files.push({ ...file, sha256: await folder.sha256(file.path) });
  return { ...subject, model: { ...subject.model, fingerprint: { ...fingerprint, files } } };
}

function mayBeCopy({ fingerprint: mine }: LineageModel, { fingerprint: other }: LineageModel): boolean {
  const sizes = ({ files }: typeof mine) =>
    files
      .map(({ size }) => size)
      .sort((a, b) => a - b)
      .join();
  return (
    mine.coreKey === other.coreKey &&
    sizes(mine) === sizes(other) &&
    mine.core.every((value, i) => Object.is(value, other.core[i]))
  );
}
