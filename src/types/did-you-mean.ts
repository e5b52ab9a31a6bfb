/** Levenshtein distance with adjacent transpositions, bounded: words over 200 characters are cut first. */
function editDistance(a: string, b: string): number {
  const s = a.slice(0, 200).toLowerCase();
  const t = b.slice(0, 200).toLowerCase();
  let before: number[] = [];
  let last = Array.from({ length: t.length + 1 }, (_, j) => j);
  for (let i = 1; i <= s.length; i++) {
    const row = [i];
    for (let j = 1; j <= t.length; j++) {
      const cost = s[i - 1] === t[j - 1] ? 0 : 1;
      let best = Math.min(row[j - 1]! + 1, last[j]! + 1, last[j - 1]! + cost);
      if (i > 1 && j > 1 && s[i - 1] === t[j - 2] && s[i - 2] === t[j - 1])
        best = Math.min(best, before[j - 2]! + 1);
      row.push(best);
    }
    before = last;
    last = row;
  }
  return last[t.length]!;
}

/** The candidate closest to what was typed, or null when nothing is near enough to be worth a hint. */
export function findNearest(typed: string, candidates: Iterable<string>): string | null {
  let nearest: string | null = null;
  let best = Math.max(2, Math.floor(typed.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(typed, candidate);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}
