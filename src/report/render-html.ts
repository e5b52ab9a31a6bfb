import { createHash } from 'node:crypto';
import type { ReportDocument } from './document.ts';
import { toHtml } from './escape.ts';
import { SCRIPT } from './html/script.ts';
import { renderBody } from './html/sections.ts';
import { STYLE } from './html/style.ts';

/**
 * The report as one HTML file that stands alone: style, script and pictures are inside, and its CSP lets nothing else in or out (only
 * these very bytes of style and script run). Works from `file://`, without JavaScript, in light and dark, and on paper.
 */
export function renderHtml(document: ReportDocument): string {
  const policy = [
    "default-src 'none'",
    `style-src '${toCspHash(STYLE)}'`,
    `script-src '${toCspHash(SCRIPT)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${toHtml(policy)}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="referrer" content="no-referrer">',
    `<title>${toHtml(document.title)}</title>`,
    `<style>${STYLE}</style>`,
    '</head>',
    '<body>',
    renderBody(document),
    `<script>${SCRIPT}</script>`,
    '</body>',
    '</html>\n',
  ].join('\n');
}

const toCspHash = (text: string) => `sha256-${createHash('sha256').update(text).digest('base64')}`;
