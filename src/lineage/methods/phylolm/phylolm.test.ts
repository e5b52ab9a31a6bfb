import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countAlleles, toAllele } from './alleles.ts';
import { compareModels, neiSimilarity } from './nei.ts';
import { joinNeighbours, type TreeNode, toNewick } from './neighbour-joining.ts';

describe('alleles', () => {
  it.each([
    ['  Hello', 'Hell'],
    ['\n a', 'a'],
    ['', ''],
    ['😀😁😂😃😄', '😀😁😂😃'],
  ])('of %j is %j', (completion, allele) => {
    expect(toAllele(completion)).toBe(allele);
  });
});

describe("Nei's similarity", () => {
  const answers = (model: string, gene: string, ...completions: string[]) =>
    completions.map((completion) => ({ model, prompt: gene, completion }));

  it('takes the sums before the ratio', async () => {
    // gene 1: A = {aaaa: 1}, B = {aaaa: 1/2, bbbb: 1/2}; gene 2: A = {cccc: 1/2, dddd: 1/2}, B = {eeee: 1}
    // both = 1/2 + 0; A: 1 + 1/2; B: 1/2 + 1; S = (1/2) / (3/2) = 1/3. The mean of ratios would be sqrt(1/2)/2 = .354
    const models = await countAlleles([
      ...answers('A', '1', 'aaaa', 'aaaa'),
      ...answers('B', '1', 'aaaa', 'bbbb'),
      ...answers('A', '2', 'cccc', 'dddd'),
      ...answers('B', '2', 'eeee'),
    ]);
    expect(neiSimilarity(models.get('A')!, models.get('B')!)).toBeCloseTo(1 / 3, 12);
    expect(compareModels(models).distance[0]![1]).toBeCloseTo(Math.log(3), 12);
  });

  it('gives the matrix computed by hand for three models and two genes', async () => {
    // gene 1: A = {xxxx: 3/4, yyyy: 1/4}, B = {xxxx: 1/2, zzzz: 1/2}, C = {yyyy: 1}
    // gene 2: A = {wwww: 1},              B = {wwww: 1/4, vvvv: 3/4}
    // squares: A 10/16 + 1, B 1/2 + 10/16, C 1
    // A, B over both genes: (3/8 + 1/4) / sqrt(26/16 x 18/16) = (5/8) x 16 / sqrt(468) = 10 / sqrt(468)
    // A, C over gene 1: (1/4) / sqrt(10/16 x 1) = 1 / sqrt(10)
    // B, C over gene 1: 0
    const models = await countAlleles([
      ...answers('A', '1', 'xxxx', 'xxxx', 'yyyy', 'xxxx'),
      ...answers('A', '2', 'wwww', 'wwww'),
      ...answers('B', '1', 'zzzz', 'xxxx'),
      ...answers('B', '2', 'vvvv', 'vvvv', 'wwww', 'vvvv'),
      ...answers('C', '1', 'yyyy', ' yyyy and so on', '\nyyyy'),
    ]);
    const { models: names, similarity, distance, commonGenes, commonCompletions } = compareModels(models);
    expect(names).toEqual(['A', 'B', 'C']);
    const expected = [
      [1, 10 / Math.sqrt(468), 1 / Math.sqrt(10)],
      [10 / Math.sqrt(468), 1, 0],
      [1 / Math.sqrt(10), 0, 1],
    ];
    for (const [i, row] of expected.entries())
      for (const [j, s] of row.entries()) {
        expect(similarity[i]![j]).toBeCloseTo(s, 12);
        expect(distance[i]![j]).toBeCloseTo(-Math.log(Math.max(1e-10, s)), 12);
      }
    expect(commonGenes).toEqual([
      [2, 2, 1],
      [2, 2, 1],
      [1, 1, 1],
    ]);
    expect(commonCompletions).toEqual([
      [6, 6, 4],
      [6, 6, 2],
      [3, 3, 3],
    ]);
  });

  it('tells long prompts apart without keeping them', async () => {
    const prompt = 'Once upon a time '.repeat(1000);
    const models = await countAlleles([
      ...answers('A', prompt, 'aaaa'),
      ...answers('A', `${prompt}!`, 'bbbb'),
      ...answers('B', prompt, 'aaaa'),
    ]);
    expect([...models.get('A')!.keys()].map((gene) => gene.length)).toEqual([71, 71]);
    expect(neiSimilarity(models.get('A')!, models.get('B')!)).toBe(1);
  });

  it('refuses more answers than fit into memory', async () => {
    const rows = answers('A', '1', 'a', 'b', 'a', 'c');
    expect((await countAlleles(rows, 3)).size).toBe(1);
    await expect(countAlleles(rows, 2)).rejects.toMatchObject({ code: 'UsageInvalid' });
  });

  it('agrees with its definition, term by term', async () => {
    const rows = fc.array(
      fc.record({
        model: fc.constantFrom('A', 'B'),
        prompt: fc.constantFrom('1', '2', '3'),
        completion: fc.constantFrom('x', 'y', 'z', ''),
      }),
      { maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(rows, async (given) => {
        const frequency = (model: string, prompt: string, allele: string) => {
          const all = given.filter((row) => row.model === model && row.prompt === prompt);
          return all.filter((row) => row.completion === allele).length / all.length;
        };
        let [both, own, other] = [0, 0, 0];
        const asked = (model: string, prompt: string) =>
          given.some((row) => row.model === model && row.prompt === prompt);
        for (const prompt of ['1', '2', '3'].filter((gene) => asked('A', gene) && asked('B', gene)))
          for (const allele of ['x', 'y', 'z', '']) {
            const [a, b] = [frequency('A', prompt, allele), frequency('B', prompt, allele)];
            both += a * b;
            own += a * a;
            other += b * b;
          }
        const models = await countAlleles(given);
        const found = neiSimilarity(models.get('A') ?? new Map(), models.get('B') ?? new Map());
        if (own === 0) expect(found).toBeNull();
        else expect(found).toBeCloseTo(both / Math.sqrt(own * other), 12);
      }),
    );
  });

  it('looks at common genes only, and floors what has nothing in common', async () => {
    const models = await countAlleles([
      ...answers('A', '1', 'aaaa'),
      ...answers('B', '1', 'bbbb'),
      ...answers('C', '2', 'aaaa'),
    ]);
    const { distance, commonGenes } = compareModels(models);
    expect(neiSimilarity(models.get('A')!, models.get('C')!)).toBeNull();
    expect(distance[0]![1]).toBeCloseTo(-Math.log(1e-10), 9);
    expect(commonGenes).toEqual([
      [1, 1, 0],
      [1, 1, 0],
      [0, 0, 1],
    ]);
  });

  it('is 1 of a model with itself, symmetric, and within [0, 1]', async () => {
    const completions = fc.array(
      fc.record({
        model: fc.constantFrom('A', 'B', 'C'),
        prompt: fc.constantFrom('1', '2'),
        completion: fc.constantFrom('x', 'y', 'z'),
      }),
      { minLength: 1, maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(completions, async (rows) => {
        const models = [...(await countAlleles(rows)).values()];
        for (const a of models) {
          expect(neiSimilarity(a, a)).toBeCloseTo(1, 12);
          for (const b of models) {
            const s = neiSimilarity(a, b);
            expect(s === null || (s >= 0 && s <= 1)).toBe(true);
            if (s === null) expect(neiSimilarity(b, a)).toBeNull();
            else expect(neiSimilarity(b, a)).toBeCloseTo(s, 12);
          }
        }
      }),
    );
  });
});

describe('neighbour joining', () => {
  it('rebuilds the five taxa of the worked example in Wikipedia', () => {
    const tree = joinNeighbours(
      ['a', 'b', 'c', 'd', 'e'],
      [
        [0, 5, 9, 9, 8],
        [5, 0, 10, 10, 9],
        [9, 10, 0, 8, 7],
        [9, 10, 8, 0, 3],
        [8, 9, 7, 3, 0],
      ],
    );
    expect(toNewick(tree)).toBe('(((a:2,b:3):3,c:4):2,d:2,e:1);');
  });

  it("rebuilds the eight taxa of Saitou and Nei's own example (1987, Mol. Biol. Evol. 4:406-425)", () => {
    // an additive matrix, so every path through their tree has to come out again; so have the lengths they give its branches
    const distance = [
      [0, 7, 8, 11, 13, 16, 13, 17],
      [7, 0, 5, 8, 10, 13, 10, 14],
      [8, 5, 0, 5, 7, 10, 7, 11],
      [11, 8, 5, 0, 8, 11, 8, 12],
      [13, 10, 7, 8, 0, 5, 6, 10],
      [16, 13, 10, 11, 5, 0, 9, 13],
      [13, 10, 7, 8, 6, 9, 0, 8],
      [17, 14, 11, 12, 10, 13, 8, 0],
    ];
    const names = ['1', '2', '3', '4', '5', '6', '7', '8'];
    const tree = joinNeighbours(names, distance);
    expect(pathLengths(tree, names)).toEqual(distance);
    // the splits of their tree
    const groups = innerGroups(tree);
    for (const group of ['1 2', '1 2 3', '1 2 3 4', '5 6', '7 8'])
      expect(groups).toContain(splitOf(group, names));
    const leafLengths = Object.fromEntries(leavesOf(tree).map((leaf) => [leaf.name, leaf.length]));
    expect(leafLengths).toEqual({ 1: 5, 2: 2, 3: 1, 4: 3, 5: 1, 6: 4, 7: 2, 8: 6 });
  });

  it('recovers any additive tree exactly', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 4, maxLength: 24 });
    fc.assert(
      fc.property(lengths, fc.infiniteStream(fc.nat(1000)), (steps, choices) => {
        // leaves hung one after another onto a drawn node of a growing tree; inner nodes are every second one
        const parent: number[] = [-1];
        const up: number[] = [0];
        for (const step of steps) {
          parent.push(choices.next().value! % parent.length);
          up.push(step);
        }
        const isLeaf = parent.map((_, i) => !parent.includes(i));
        const leaves = parent.flatMap((_, i) => (isLeaf[i] ? [i] : []));
        fc.pre(leaves.length > 1);
        const chain = (i: number): Map<number, number> => {
          const map = new Map([[i, 0]]);
          let total = 0;
          for (let at = i; parent[at]! >= 0; at = parent[at]!) {
            total += up[at]!;
            map.set(parent[at]!, total);
          }
          return map;
        };
        const distance = leaves.map((i) =>
          leaves.map((j) => {
            const own = chain(i);
            const other = chain(j);
            return Math.min(...[...own].flatMap(([at, x]) => (other.has(at) ? [x + other.get(at)!] : [])));
          }),
        );
        const names = leaves.map(String);
        const found = pathLengths(joinNeighbours(names, distance), names);
        // halves of whole numbers: not even rounding is an excuse
        expect(found).toEqual(distance);
      }),
      { numRuns: 200 },
    );
  });

  it('quotes names that Newick would misread', () => {
    expect(
      toNewick(
        joinNeighbours(
          ["o'hara/m_1", 'plain'],
          [
            [0, 2],
            [2, 0],
          ],
        ),
      ),
    ).toBe("('o''hara/m_1':1,plain:1);");
  });

  it.each([
    [['a', 'b'], [[0, 1]]],
    [
      ['a', 'b'],
      [
        [0, 1],
        [2, 0],
      ],
    ],
    [
      ['a', 'b'],
      [
        [0, Number.NaN],
        [Number.NaN, 0],
      ],
    ],
    [[], []],
  ])('refuses a matrix that is none: %j', (names, distance) => {
    expect(() => joinNeighbours(names, distance)).toThrow(expect.objectContaining({ code: 'UsageInvalid' }));
  });
});

/** A split of the leaves in one way of writing: the side without the first leaf. */
function splitOf(group: string, names: readonly string[]): string {
  const side = group.split(' ');
  const other = names.filter((name) => !side.includes(name));
  return (side.includes(names[0]!) ? other : side).sort().join(' ');
}

function innerGroups(tree: TreeNode): string[] {
  const names = leavesOf(tree).map((leaf) => leaf.name!);
  const below = (node: TreeNode): TreeNode[] => [node, ...node.children.flatMap(below)];
  return below(tree)
    .slice(1)
    .filter((node) => node.children.length > 0)
    .map((node) =>
      splitOf(
        leavesOf(node)
          .map((leaf) => leaf.name)
          .join(' '),
        names.sort(),
      ),
    );
}

function leavesOf(node: TreeNode): TreeNode[] {
  return node.children.length === 0 ? [node] : node.children.flatMap(leavesOf);
}

/** Distances between leaves along the tree. */
function pathLengths(tree: TreeNode, names: readonly string[]): number[][] {
  const table = new Map(names.map((name) => [name, new Map([[name, 0]])]));
  const below = (node: TreeNode): Map<string, number> => {
    if (node.children.length === 0) return new Map([[node.name!, 0]]);
    const all = new Map<string, number>();
    for (const child of node.children) {
      const own = [...below(child)].map(([name, x]) => [name, x + child.length] as const);
      for (const [name, x] of own)
        for (const [other, y] of all) {
          table.get(name)!.set(other, x + y);
          table.get(other)!.set(name, x + y);
        }
      for (const [name, x] of own) all.set(name, x);
    }
    return all;
  };
  below(tree);
  return names.map((a) => names.map((b) => table.get(a)!.get(b)!));
}
