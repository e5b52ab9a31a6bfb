import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { applyCdnFault } from './faults/cdn-faults.ts';
import { createFaultPlan } from './faults/fault-plan.ts';
import { HEADER_FAULTS, spoilHeaders } from './faults/header-faults.ts';
import { applyHubFault } from './faults/hub-faults.ts';
import type { FaultClass, LogEntry, Minihub, MinihubOptions } from './options.ts';
import { createTextFile } from './repos/bytes-file.ts';
import { addCommit } from './repos/create-record.ts';
import { toCommitSha } from './repos/identity.ts';
import { readHubFolder } from './repos/read-folder.ts';
import { headOf } from './repos/record.ts';
import { createRepoIndex } from './repos/repo-index.ts';
import type { HubState } from './routes/call.ts';
import { answerCdn } from './routes/cdn.ts';
import { routeHub } from './routes/hub-router.ts';
import { emptyStats } from './stats.ts';
import { createVirtualRepos } from './virtual/virtual-repos.ts';
import type { Answer } from './wire/answer.ts';
import { toHubHeaders } from './wire/hub-headers.ts';
import { closeServer, listen, toOrigin } from './wire/listen.ts';
import type { Bucket } from './wire/quotas.ts';
import { answerThrottled, createQuotas, toQuotaHeaders, toQuotaLimits } from './wire/quotas.ts';
import { readCall, toBucket, toHeaders } from './wire/read-call.ts';
import { refusals } from './wire/refusals.ts';
import type { WireFault } from './wire/send.ts';
import { sendAnswer } from './wire/send.ts';
import { createSigner } from './wire/signatures.ts';

const DEFAULT_STALL_MS = 60_000;

/**
 * Serves a folder, virtual repos, or both as a Hub on two origins: the Hub itself and its CDN. Throws HublineageError
 * UsageInvalid for a folder that is none, Unexpected (with the cause) when a port cannot be had.
 */
export async function startMinihub(options: MinihubOptions = {}): Promise<Minihub> {
  const folder = options.dir === undefined ? { repos: [], renames: {} } : await readHubFolder(options.dir);
  const virtual = options.virtual === undefined ? [] : createVirtualRepos(options.virtual);
  const index = createRepoIndex([...folder.repos, ...virtual, ...(options.repos ?? [])], {
    ...folder.renames,
    ...options.renames,
  });
  let advancedMs = 0;
  const clock = { now: () => (options.clock?.now() ?? Date.now()) + advancedMs };
  const stats = emptyStats();
  const quotas = createQuotas(clock);
  let limits = toQuotaLimits(options.quotas ?? 'anonymous');
  let faults = createFaultPlan(options.faults ?? null, stats);
  let stallMs = options.faults?.stallMs ?? DEFAULT_STALL_MS;
  let serial = 0;
  const host = options.host ?? '127.0.0.1';
  let hubUrl = '';
  let cdnUrl = '';
  const state: HubState = {
    options,
    index,
    stats,
    signer: createSigner(clock),
    now: clock.now,
    url: () => hubUrl,
    cdnUrl: () => cdnUrl,
    published: new Map(),
    publishedByHash: new Map(),
    signatureTtlSeconds: options.signatureTtlSeconds ?? 3600,
  };

  async function answerHub(request: IncomingMessage, response: ServerResponse): Promise<LogEntry> {
    const call = await readCall(request, options);
    const bucket = toBucket(call, options);
    const rights = call.rights;
    const who = call.hasToken
      ? `token ${request.headers.authorization}`
      : `ip ${request.socket.remoteAddress}`;
    const hit: FaultClass[] = [];
    const key = `${call.method} ${call.path}?${call.query}`;
    if (faults.pick(['quota-lowered'], key, null) !== null) {
      hit.push('quota-lowered');
      limits = { ...limits, api: Math.ceil(limits.api / 2), resolvers: Math.ceil(limits.resolvers / 2) };
    }
    const quota =
      bucket === null
        ? null
        : quotas.take(who, bucket, rights?.quotas === undefined ? limits : toQuotaLimits(rights.quotas));
    let answer: Answer;
    let name = 'unknown';
    let wire: WireFault | null = null;
    if (bucket !== null) stats.buckets[bucket]++;
    if (quota !== null && !quota.allowed) {
      stats.throttled++;
      name = 'throttled';
      answer = answerThrottled(
        call,
        bucket as Bucket,
        quota.quota,
        quota.windowSeconds,
        request.socket.remoteAddress,
      );
    } else if (call.rights === null && call.hasToken) {
      answer = refusals.badToken(call.segments[0] === 'api' ? 'api' : 'files');
    } else if (!['GET', 'HEAD', 'POST'].includes(call.method)) {
      answer = refusals.methodNotAllowed();
    } else {
      const routed = await routeHub(state, call);
      name = routed.name;
      const broken = await applyHubFault({ state, call, routed, plan: faults, key });
      answer = broken.answer;
      wire = broken.wire;
      if (broken.fault !== null) hit.push(broken.fault);
    }
    stats.routes[name] = (stats.routes[name] ?? 0) + 1;
    const headers: Record<string, string> = {
      ...toHubHeaders({
        serial: serial++,
        nowMs: clock.now(),
        status: answer.status,
        hasToken: call.hasToken,
        trace: call.headers['x-request-id'] ?? call.headers['x-amzn-trace-id'],
      }),
      ...(quota === null || bucket === null ? {} : toQuotaHeaders(bucket, quota)),
      ...answer.headers,
    };
    const headerFault = faults.pick(HEADER_FAULTS, key, null);
    if (headerFault !== null) {
      hit.push(headerFault);
      spoilHeaders(headers, headerFault, clock.now());
    }
    if (answer.headers['x-minihub-no-quota'] !== undefined) {
      for (const name of ['ratelimit', 'ratelimit-policy', 'x-minihub-no-quota']) delete headers[name];
    }
    const shaping = { bytesPerSecond: options.bytesPerSecond ?? null, wire, stallMs };
    const bytes = await sendAnswer(request, response, { ...answer, headers }, shaping);
    stats.bytes.hub += bytes;
    return {
      method: call.method,
      url: request.url ?? '',
      status: answer.status,
      origin: 'hub',
      bytes,
      bucket,
      faults: hit,
      range: request.headers.range ?? null,
    };
  }

  async function answerCdnRequest(request: IncomingMessage, response: ServerResponse): Promise<LogEntry> {
    const url = request.url ?? '/';
    stats.routes.cdn = (stats.routes.cdn ?? 0) + 1;
    const path = url.split('?', 1)[0] ?? '';
    const calm = await answerCdn(state, url, toHeaders(request));
    const range = request.headers.range ?? null;
    const { answer, wire, fault } = await applyCdnFault({
      state,
      answer: calm,
      plan: faults,
      key: `${path} ${range ?? ''}`,
      path,
    });
    const shaping = { bytesPerSecond: options.bytesPerSecond ?? null, wire, stallMs };
    const headers = { date: new Date(clock.now()).toUTCString(), ...answer.headers };
    const bytes = await sendAnswer(request, response, { ...answer, headers }, shaping);
    stats.bytes.cdn += bytes;
    return {
      method: request.method ?? 'GET',
      url: path,
      status: answer.status,
      origin: 'cdn',
      bytes,
      bucket: null,
      faults: fault === null ? [] : [fault],
      range,
    };
  }

  const serve =
    (handle: (request: IncomingMessage, response: ServerResponse) => Promise<LogEntry>) =>
    async (request: IncomingMessage, response: ServerResponse) => {
      try {
        if (options.latencyMs) await sleep(options.latencyMs);
        const entry = await handle(request, response);
        stats.status[entry.status] = (stats.status[entry.status] ?? 0) + 1;
        options.log?.(entry);
      } catch (error) {
        // a fault of the server itself must not look like one of those it plays
        if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' });
        response.end(`minihub: ${error instanceof Error ? error.message : String(error)}`);
      }
    };
  const hub = createServer(serve(answerHub));
  const cdn = createServer(serve(answerCdnRequest));
  await listen(hub, options.port ?? 0, host);
  try {
    await listen(cdn, options.cdnPort ?? 0, host);
  } catch (error) {
    await closeServer(hub);
    throw error;
  }
  hubUrl = options.publicUrl ?? toOrigin(hub, host);
  cdnUrl = options.publicCdnUrl ?? toOrigin(cdn, host);

  return {
    url: hubUrl,
    cdnUrl,
    stats: () => structuredClone(stats),
    resetStats: () => void Object.assign(stats, emptyStats()),
    setFaults(spec) {
      faults = createFaultPlan(spec, stats);
      stallMs = spec?.stallMs ?? DEFAULT_STALL_MS;
    },
    setQuotas: (next) => {
      limits = toQuotaLimits(next);
    },
    advance: (ms) => {
      advancedMs += ms;
    },
    repos: index.all,
    repo: index.get,
    update(id, change) {
      const repo = index.get(id);
      if (repo === undefined) throw new Error(`no repo ${id}`);
      change(repo);
      index.touch();
    },
    setRepo: index.set,
    removeRepo: index.remove,
    renameRepo: index.rename,
    async touchReadme(id, text) {
      const repo = index.get(id);
      if (repo === undefined) throw new Error(`no repo ${id}`);
      const head = headOf(repo);
      const readme = createTextFile('README.md', text ?? `# ${id}\n\nEdited after ${head.sha}.\n`);
      const files = [...head.files.filter((file) => file.path !== 'README.md'), readme];
      const sha = toCommitSha(id, [['README.md', `${(await readme.identity()).oid} after ${head.sha}`]]);
      addCommit(repo, files, sha, 'Update README.md', new Date(clock.now()).toISOString());
      index.touch();
    },
    async close() {
      await Promise.all([closeServer(hub), closeServer(cdn)]);
    },
  };
}
