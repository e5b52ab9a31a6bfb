import type { TensorSample } from '../../types/fingerprint.ts';
import { findArborescence } from '../numeric/edmonds.ts';
import type { LineageMethod } from '../options.ts';
import { distanceBlocks } from './block-distances.ts';
import { type BaselineEdge, toResult } from './to-result.ts';

const LAMBDA = 0.3;
/** All samples of a component and an edge a pair are in memory at once. */
const MAX_BLOCK = 1500;
const ATTENTION = /attn\d?\.(?:[qkvo]_proj|to_[qkv]|to_out\.0)\.weight$/;

/**
 * MoTHer (Horwitz, Shul, Hoshen, ICLR 2025), version 2: D = mean over attention matrices of rms(W_i - W_j); an edge whose child has the
 * larger kurtosis (sum over o_proj for Llama, all of them for diffusion, where the comparison is reversed) is charged 0.3 mean(D);
 * minimum spanning arborescence. Kurtosis and rms are those of the samples.
 */
export const mother: LineageMethod = {
  name: 'mother',
  async infer(models, load, options) {
    const edges: BaselineEdge[] = [];
    const notes: string[] = [];
    for (const { models: members } of distanceBlocks(models, options.seed, notes, MAX_BLOCK)) {
      if (members.length < 2) continue;
      const samples = await load(members.map((m) => m.repo));
      const attention = members.map((m) => attentionOf(samples.get(m.repo) ?? []));
      const diffusion = members[0]!.fingerprint.family === 'stable-diffusion';
      const kurtosis = attention.map((tensors) => {
        let sum = 0;
        for (const t of tensors.values()) if (diffusion || /o_proj/.test(t.name)) sum += t.stats.kurtosis;
        return sum;
      });
      const n = members.length;
      const d = new Float64Array(n * n);
      let total = 0;
      for (let i = 0; i < n; i++)
        for (let j = i + 1; j < n; j++) {
          d[i * n + j] = d[j * n + i] = meanRms(attention[i]!, attention[j]!);
          total += 2 * d[i * n + j]!;
        }
      const penalty = (LAMBDA * total) / (n * n);
      const candidates: { from: number; to: number; cost: number }[] = [];
      for (let i = 0; i < n; i++)
        for (let j = 0; j < n; j++) {
          if (i === j) continue;
          const against = diffusion ? kurtosis[j]! < kurtosis[i]! : kurtosis[j]! > kurtosis[i]!;
          candidates.push({ from: i, to: j, cost: d[i * n + j]! + (against ? penalty : 0) });
        }
      for (let j = 0; j < n; j++) candidates.push({ from: n, to: j, cost: 1e9 });
      const chosen = findArborescence(n + 1, candidates, n)!;
      members.forEach((child, j) => {
        const { from } = candidates[chosen[j]!]!;
        if (from < n) edges.push({ child, parent: members[from]!, equal: d[from * n + j] === 0 });
      });
    }
    return toResult(models, edges, 'mother', notes);
  },
};

function attentionOf(tensors: readonly TensorSample[]): Map<string, TensorSample> {
  return new Map(tensors.filter((t) => ATTENTION.test(t.name)).map((t) => [t.name, t]));
}

function meanRms(a: ReadonlyMap<string, TensorSample>, b: ReadonlyMap<string, TensorSample>): number {
  let sum = 0;
  let tensors = 0;
  for (const [name, x] of a) {
    const y = b.get(name);
    if (!y || y.values.length !== x.values.length) continue;
    let squares = 0;
    for (let i = 0; i < x.values.length; i++) squares += (x.values[i]! - y.values[i]!) ** 2;
    if (!(squares * 0 === 0)) continue;
    sum += Math.sqrt(squares / x.values.length);
    tensors++;
  }
  return tensors > 0 ? sum / tensors : 1e6;
}
