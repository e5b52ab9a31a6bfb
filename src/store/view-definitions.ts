import { VERDICTS } from '../types/verdict.ts';
import type { ViewName, ViewRows } from '../types/view-rows.ts';
import { BEHAVIOUR_DETAIL } from './behaviour.ts';

export interface ViewDefinition<Column extends string = string> {
  title: string;
  /** one or two sentences: what a row is, and what is left out */
  description: string;
  /** columns in order, with what they hold */
  columns: Record<Column, string>;
  /** gives the columns in this order */
  sql: string;
}

/**
 * The public views: their SQL, and the words that docs/reference/schema.md, `export --format sqlite` and error hints show. Names, columns
 * and order are a contract: add, but change only with a note in CHANGELOG.md.
 */
export const VIEWS: { [V in ViewName]: ViewDefinition<keyof ViewRows[V] & string> } = {
  models: {
    title: 'Models',
    description:
      'One row a repo in the index, also those without readable weights and those the Hub no longer has.',
    columns: {
      repo: 'Name today: `owner/name`, or a bare name for the oldest repos.',
      hub_id: "The Hub's `_id`: 24 hex digits that survive renames.",
      owner: 'User or organisation; empty for bare names.',
      family: '`llama` or `stable-diffusion`; null when neither a filter nor the weights have told.',
      architecture:
        'What the weights are: `LlamaForCausalLM`, `UNet2DConditionModel`, ...; null before they were read.',
      params: 'Number of values in the weights, packed ones counted unpacked; null before they were read.',
      dtype: 'Dominant number format: `BF16`, `F16`, `Q4_K`, ...; null before the weights were read.',
      format: '`safetensors`, `gguf`, `diffusers`, `peft`, ...; null before the weights were read.',
      created_at: 'When the repo was made, ISO 8601 in UTC.',
      last_modified: 'When the repo last changed, ISO 8601 in UTC.',
      sha: 'Commit of the default branch when last listed, 40 hex digits.',
      downloads: 'Downloads of the last 30 days, as the Hub counts them.',
      likes: 'Likes on the Hub.',
      license: 'Declared licence from card or tags, lower case; several joined by a comma; null when none.',
      gated: "`no`, or the Hub's kind of gate: `auto` or `manual`.",
      status:
        '`fingerprinted` (from its own bytes or those of an equal file), `adapter`, `gated`, `no_weights`, `unsupported`, `failed`, `gone`, `pending`.',
      family_root: 'Repo or virtual parent at the top of its tree; null before inference.',
    },
    sql: `SELECT r.repo, r.hub_id, r.owner, r.family, r.architecture, r.params, r.dtype, r.format, r.created_at, r.last_modified, r.sha,
  r.downloads, r.likes, r.license, r.gated, r.status, r.family_root
FROM t_repos r WHERE r.superseded = 0`,
  },
  declared_bases: {
    title: 'Declared bases',
    description:
      'What authors declare as the base of their model, one row a declaration; the same base found in two places is two rows. Mentions that are mere hints are left out.',
    columns: {
      repo: 'The model that declares.',
      declared:
        'The base as `owner/name` where one can be read out of what was typed, else exactly what was typed.',
      resolved_repo: 'The repo this names today, case folded and renames followed; null when there is none.',
      relation:
        'Declared relation (`finetune`, `adapter`, `merge`, `quantized`); null when none was declared.',
      source:
        'Where it was found: `card`, `tags`, `hub`, `adapter_config`, `config`, `gguf`, `kohya`, `mergekit`.',
    },
    sql: 'SELECT repo, declared, resolved_repo, relation, source FROM t_claims WHERE hint = 0',
  },
  edges: {
    title: 'Edges',
    description:
      'Inferred parents. Rank 1 is the chosen parent (a merge has one rank-1 row a parent); ranks 2 and up are the statistical ties.',
    columns: {
      child: 'The model that was made.',
      parent: 'What it was made from: a repo, or the id of a virtual parent.',
      relation:
        '`finetune`, `adapter`, `merge`, `quantized`, `duplicate` (same values), `cast` (same values, another number format), `upscaled` (layers repeated), `pruned` (layers dropped), `transformed` (same function, units permuted).',
      probability:
        'Calibrated probability that this parent is the right one, against every other candidate and against none.',
      rank: '1 = chosen; 2, 3, ... = ties, best first.',
      weight: 'Share of this parent in a merge; null otherwise.',
      method:
        'What built the edge: `hash`, `values`, `rounding`, `requantise`, `nnls`, `layers`, `tree`, ...',
      parent_kind: '`repo`, or `virtual` for a parent that is not in the index.',
    },
    sql: 'SELECT child_name, parent_name, relation, probability, rank, weight, method, parent_kind FROM t_edges',
  },
  edge_evidence: {
    title: 'Evidence',
    description:
      'Findings behind an edge, also behind candidates that lost. One row a probe. Where an edge joins two models that were compared by how they answer, the probe `behaviour` says how alike; it weighs nothing.',
    columns: {
      child: 'The model that was made.',
      parent: 'The candidate.',
      probe: 'Name of the probe.',
      outcome: '`supports`, `contradicts`, `neutral`, `not_available`, `not_applicable`, `error`.',
      value: 'What was measured, in the unit of the probe; null where there is none.',
      log_odds: 'Weight of the finding, natural logarithm; positive speaks for the edge.',
      detail: 'The finding as a sentence.',
    },
    // Casts: unless both halves have the same affinities, SQLite puts them together before it looks for a row.
    sql: `SELECT c.name, p.name, v.probe, v.outcome, v.value, v.log_odds, v.detail
FROM t_evidence v JOIN t_nodes c ON c.node_id = v.child JOIN t_nodes p ON p.node_id = v.parent
UNION ALL
SELECT e.child_name, e.parent_name, CAST('behaviour' AS TEXT), CAST('neutral' AS TEXT), b.similarity, CAST(0 AS REAL), CAST(${BEHAVIOUR_DETAIL} AS TEXT)
FROM t_edges e JOIN t_behaviour b ON b.node_id = e.child AND b.other = e.parent
  JOIN t_behaviour_runs u ON u.behaviour_run = b.behaviour_run`,
  },
  ancestors: {
    title: 'Ancestors',
    description:
      'Every ancestor of every model over chosen parents (rank 1), one row a pair. Cycles end, and nothing is its own ancestor. At most 64 deep.',
    columns: {
      repo: 'The model.',
      ancestor: 'Repo or virtual parent above it. Filter on this column for descendants.',
      depth: 'Edges between them, the shortest way: 1 = parent.',
    },
    sql: `SELECT n.name, p.name, a.depth
FROM t_ancestors a JOIN t_nodes n ON n.node_id = a.node_id JOIN t_nodes p ON p.node_id = a.ancestor`,
  },
  families: {
    title: 'Families',
    description: 'Which tree a model stands in, roots included (depth 0).',
    columns: {
      family: '`llama` or `stable-diffusion`.',
      root: 'Repo or virtual parent at the top.',
      repo: 'The model (or virtual parent).',
      depth: 'Edges from the root, the shortest way.',
    },
    sql: 'SELECT family, root_name, repo, depth FROM t_families',
  },
  verdicts: {
    title: 'Verdicts',
    description: 'What is declared held against what was inferred, one row a model.',
    columns: {
      repo: 'The model.',
      verdict: VERDICTS.map((verdict) => `\`${verdict}\``)
        .join(', ')
        .concat('.'),
      declared: 'JSON array of declared bases.',
      relation_declared: 'Declared relation; null when none.',
      inferred: 'JSON array of inferred parents.',
      relation_inferred: 'Inferred relation; null when no parent was found.',
      probability: "Probability that the verdict's statement is right; null where none can be given.",
      reason: 'A sentence that names the evidence.',
    },
    sql: `SELECT repo, verdict, declared, relation_declared, inferred, relation_inferred, probability, reason
FROM t_verdicts`,
  },
  failures: {
    title: 'Failures',
    description:
      'Steps that did not succeed, with what they cost. A row goes when the step succeeds or the repo changes.',
    columns: {
      repo: 'The model.',
      stage: 'Stage that failed: `claims`, `fingerprint`, ...',
      error_code: 'Code of the last error, as in the error reference.',
      attempts: 'Tries that counted; being asked to wait costs none.',
      last_error: 'Message of the last error.',
      retry_after: 'Not tried again before, ISO 8601 in UTC; null when at once or never.',
    },
    sql: `SELECT r.repo, x.stage, x.code, x.attempts, x.message, x.retry_after
FROM t_failures x JOIN t_repos r ON r.hub_id = x.hub_id
WHERE r.superseded = 0`,
  },
  runs: {
    title: 'Runs',
    description: 'One row a run of a stage, with what it did and what it spent.',
    columns: {
      run_id: 'Number of the run, rising.',
      started_at: 'ISO 8601 in UTC.',
      finished_at: 'ISO 8601 in UTC; null while it runs, or when it was killed.',
      stage: '`refresh`, `crawl`, `fingerprint`, `infer`, `audit`, `report`.',
      repos_seen: 'Repos listed.',
      repos_new: 'Repos not known before.',
      repos_changed: 'Repos whose commit moved.',
      repos_gone: 'Repos the Hub no longer has.',
      fingerprinted: 'Models whose weights were read.',
      shared: 'Models that took the fingerprint of equal files, at no bytes.',
      failed: 'Models that failed.',
      edges: 'Edges inferred.',
      verdicts: 'Verdicts given.',
      requests_api: "Requests counted against the Hub's `api` quota.",
      requests_resolvers: "Requests counted against the Hub's `resolvers` quota.",
      requests_pages: "Requests counted against the Hub's `pages` quota.",
      requests_cdn: 'Range requests to signed URLs, which no quota counts.',
      bytes: 'Bytes received.',
      status:
        '`running`, `done`, `partial` (some models failed), `stopped` (quota, deadline), `interrupted`, `failed`.',
    },
    sql: `SELECT run_id, started_at, finished_at, stage, repos_seen, repos_new, repos_changed, repos_gone, fingerprinted, shared, failed,
  edges, verdicts, requests_api, requests_resolvers, requests_pages, requests_cdn, bytes, status
FROM t_runs`,
  },
  behaviour: {
    title: 'Behaviour',
    description:
      'Models compared by how they answer prompts (PhyloLM), with or without an edge between them; each pair twice, once from either side. It says who answers like whom and never who was made from whom: no edge, probability or verdict is made from it.',
    columns: {
      repo: 'The model.',
      other: 'The model it was compared with.',
      similarity: "Nei's similarity of their answers, 0 to 1.",
      distance: '-ln of the similarity, at most -ln 1e-10.',
      shared_prompts: 'Prompts both answered; fewer than 32 are rough.',
      completions: 'Completions of `repo` to these.',
      other_completions: 'Completions of `other` to these.',
      prompts_hash:
        'SHA-256 over all prompts of the comparison: rows with another one were measured otherwise.',
      source: 'Host that was asked, or name of the file of completions.',
      compared_at: 'When, ISO 8601 in UTC.',
      detail: 'The comparison as a sentence.',
    },
    sql: `SELECT n.name, o.name, b.similarity, b.distance, b.shared_prompts, b.completions, b.other_completions, u.prompts_hash, u.source,
  u.compared_at, ${BEHAVIOUR_DETAIL}
FROM t_nodes n JOIN t_behaviour b ON b.node_id = n.node_id JOIN t_nodes o ON o.node_id = b.other
  JOIN t_behaviour_runs u ON u.behaviour_run = b.behaviour_run`,
  },
  roots: {
    title: 'Roots',
    description: 'One row a family tree, counted when the trees were built.',
    columns: {
      root: 'Repo or virtual parent at the top.',
      family: '`llama` or `stable-diffusion`.',
      models: 'Members, the root included.',
      max_depth: 'Depth of the deepest member.',
    },
    sql: 'SELECT n.name, t.family, t.models, t.max_depth FROM t_roots t JOIN t_nodes n ON n.node_id = t.root',
  },
  counts: {
    title: 'Counts',
    description: 'How many models there are of each kind, counted when conclusions were last rebuilt.',
    columns: {
      subject:
        'What is counted by: `status`, `family`, `architecture`, `format`, `license`, `declaring`, `relation` (of chosen parents), `depth`, `verdict`.',
      label: 'The value.',
      models: 'How many models have it.',
    },
    sql: 'SELECT subject, label, models FROM t_counts',
  },
  edge_history: {
    title: 'Edge history',
    description: 'When each chosen edge was first seen, and when it went.',
    columns: {
      child: 'The model that was made.',
      parent: 'What it was made from.',
      relation: 'Relation of the edge.',
      first_run: 'Run that first found it.',
      first_seen: 'When, ISO 8601 in UTC.',
      last_run: 'Run that no longer found it; null while it stands.',
      last_seen: 'When that was, ISO 8601 in UTC; null while it stands.',
    },
    sql: `SELECT c.name, p.name, h.relation, h.first_run, h.first_seen, h.last_run, h.last_seen
FROM t_edge_history h JOIN t_nodes c ON c.node_id = h.child JOIN t_nodes p ON p.node_id = h.parent`,
  },
  verdict_history: {
    title: 'Verdict history',
    description: 'One row each time the verdict about a model, or its inferred parents, became another.',
    columns: {
      repo: 'The model.',
      run_id: 'Run that changed it.',
      at: 'When, ISO 8601 in UTC.',
      verdict: 'The verdict since then.',
      previous: 'The verdict before; null for the first.',
      inferred: 'JSON array of inferred parents since then.',
      reason: 'The sentence given at the time.',
    },
    sql: `SELECT n.name, h.run_id, h.at, h.verdict, h.previous, h.inferred, h.reason
FROM t_verdict_history h JOIN t_nodes n ON n.node_id = h.node_id`,
  },
};

export const VIEW_NAMES = Object.keys(VIEWS) as ViewName[];
