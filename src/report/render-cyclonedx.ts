import { createHash } from 'node:crypto';
import { VERSION } from '../types/version.ts';
import type { FamilyNode, ReportDocument } from './document.ts';
import { toRepoUrl } from './escape.ts';

/**
 * A CycloneDX 1.6 ML-BOM of one model: the model as `machine-learning-model` with its inferred ancestors as pedigree, each ancestor
 * carrying its own where it is first met: references are unique in a BOM, and merges of merges share most of theirs. `document` is a model
 * report. The serial number is derived from the content, so the same report gives the same BOM.
 */
export function renderCycloneDx(document: ReportDocument): string {
  const repo = document.subject ?? '';
  const finding = document.findings.find((candidate) => candidate.repo === repo);
  const nodes = new Map((document.families[0]?.nodes ?? []).map((node) => [node.repo, node]));
  const licences = new Map((finding?.licences ?? []).map((step) => [step.repo, step.licence]));

  const described = new Set<string>();

  const toComponent = (name: string): object => {
    const first = !described.has(name);
    described.add(name);
    const parents = first ? parentsOf(nodes.get(name)) : [];
    const licence = licences.get(name);
    const url = toRepoUrl(document.method.hubUrl, name);
    return {
      type: 'machine-learning-model',
      ...(first ? { 'bom-ref': `model:${name}` } : {}),
      name: nodes.get(name)?.label ?? name,
      ...(name === repo && finding?.sha ? { version: finding.sha } : {}),
      ...(url ? { purl: toPurl(name, name === repo ? (finding?.sha ?? null) : null) } : {}),
      ...(licence ? { licenses: [{ license: { name: licence } }] } : {}),
      ...(url ? { externalReferences: [{ type: 'distribution', url }] } : {}),
      ...(parents.length > 0
        ? {
            pedigree: {
              ancestors: parents.map((parent) => toComponent(parent.name)),
              notes: parents
                .map(
                  ({ name: parent, relation, probability }) =>
                    `${relation ?? 'related'} of ${parent}, probability ${probability ?? 'unknown'}`,
                )
                .join('; '),
            },
          }
        : {}),
    };
  };

  const body = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      ...(document.generatedAt ? { timestamp: document.generatedAt } : {}),
      tools: { components: [{ type: 'application', name: 'hublineage', version: VERSION }] },
      component: {
        ...toComponent(repo),
        ...(finding
          ? {
              properties: [
                { name: 'hublineage:verdict', value: finding.verdict },
                { name: 'hublineage:reason', value: finding.reason },
                ...finding.declared.map((value) => ({ name: 'hublineage:declared', value })),
              ],
            }
          : {}),
      },
    },
  };
  const { bomFormat, specVersion, ...rest } = body;
  return `${JSON.stringify({ bomFormat, specVersion, serialNumber: toSerialNumber(JSON.stringify(body)), ...rest }, null, 2)}\n`;
}

function parentsOf(node: FamilyNode | undefined) {
  if (!node) return [];
  const { relation } = node;
  const main = node.parent === null ? [] : [{ name: node.parent, relation, probability: node.probability }];
  return [
    ...main,
    ...node.otherParents.map(({ parent, probability }) => ({ name: parent, relation, probability })),
  ];
}

/** Package URL of a Hub model (type `huggingface`): the version is the commit, lower case. */
function toPurl(repo: string, sha: string | null): string {
  const path = repo.split('/').map(encodeURIComponent).join('/');
  return `pkg:huggingface/${path}${sha ? `@${sha.toLowerCase()}` : ''}`;
}

/** RFC 9562 version 8 UUID (free bits) out of the content's SHA-256. */
function toSerialNumber(content: string): string {
  const hex = createHash('sha256').update(content).digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
