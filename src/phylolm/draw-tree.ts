import type { TreeNode } from '../lineage/index.ts';

/** px */
const ROW = 22;
const TREE_WIDTH = 520;
const MARGIN = 16;
const CHARACTER = 7.2;

/**
 * An unrooted neighbour-joining tree as SVG: leaves one below the other, horizontal lengths to scale. The leftmost join is where drawing
 * starts, not an ancestor, and the title says so. Negative lengths are drawn as zero.
 */
export function drawTree(root: TreeNode): string {
  const lines: string[] = [];
  const labels: string[] = [];
  const lengthOf = (node: TreeNode) => Math.max(0, node.length);
  const depthOf = (node: TreeNode): number =>
    Math.max(0, ...node.children.map((child) => lengthOf(child) + depthOf(child)));
  const deepest = depthOf(root);
  const scale = deepest > 0 ? TREE_WIDTH / deepest : 0;
  let row = 0;
  let longest = 0;
  const place = (node: TreeNode, x: number): number => {
    if (node.children.length === 0) {
      const y = MARGIN + ROW * (row + 1);
      row++;
      longest = Math.max(longest, node.name?.length ?? 0);
      labels.push(`<text x="${round(x + 6)}" y="${round(y + 4)}">${escapeXml(node.name ?? '')}</text>`);
      return y;
    }
    const ends = node.children.map((child) => {
      const to = x + lengthOf(child) * scale;
      const y = place(child, to);
      lines.push(`<path d="M${round(x)} ${round(y)}H${round(to)}"/>`);
      return y;
    });
    const [top, bottom] = [Math.min(...ends), Math.max(...ends)];
    lines.push(`<path d="M${round(x)} ${round(top)}V${round(bottom)}"/>`);
    return (top + bottom) / 2;
  };
  place(root, MARGIN);
  const width = Math.ceil(MARGIN * 2 + TREE_WIDTH + 6 + longest * CHARACTER);
  const height = MARGIN * 2 + ROW * (row + 1);
  return `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="monospace" font-size="12">
<title>Unrooted tree of behaviour (PhyloLM): models that answer alike stand together; it does not say who was made from whom</title>
<rect width="100%" height="100%" fill="white"/>
<g stroke="#333" fill="none">
${lines.join('\n')}
</g>
<g fill="#111">
${labels.join('\n')}
</g>
</svg>
`;
}

const round = (x: number) => Math.round(x * 100) / 100;

/** Names come from strangers: markup and the characters XML forbids go. */
function escapeXml(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f-\u009f\ufffe\uffff]/g, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
