import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import type { FrontMatter } from './types.ts';

/** Largest front matter parsed; the Hub's largest real ones (lists of languages, eval results) stay below. */
const MAX_FRONT_MATTER_CHARS = 256 * 1024;
/** Aliases a card may expand: real cards use none, a "billion laughs" needs thousands. */
const MAX_ALIASES = 20;
/** Nesting beyond this is no card. */
const MAX_DEPTH = 24;

/** YAML front matter of a model card, safely: size, alias and nesting caps, no custom tags, keys as own properties of a plain object. */
export function parseFrontMatter(readme: string): FrontMatter {
  const none = { data: null, error: null, lines: {} };
  const text = readme.charCodeAt(0) === 0xfeff ? readme.slice(1) : readme;
  const open = /^\s*---[ \t]*\r?\n/.exec(text);
  if (!open) return none;
  const start = open[0].length;
  const close = /^---[ \t]*$/m.exec(text.slice(start, start + MAX_FRONT_MATTER_CHARS));
  if (!close) return { ...none, error: closeProblem(text.length - start) };
  const yamlText = text.slice(start, start + close.index);
  const firstLine = text.slice(0, start).split('\n').length;
  return readYaml(yamlText, firstLine);
}

/** One YAML document as plain data under the same caps, for fenced blocks; null when it cannot be read. */
export function parseYamlSafely(text: string): unknown {
  if (text.length > MAX_FRONT_MATTER_CHARS || nestsTooDeep(text)) return null;
  try {
    const document = parseDocument(text, { schema: 'core', uniqueKeys: false, logLevel: 'silent' });
    if (document.errors.length > 0) return null;
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch {
    return null;
  }
}

function readYaml(text: string, firstLine: number): FrontMatter {
  const broken = (why: string): FrontMatter => ({ data: null, error: why, lines: {} });
  if (nestsTooDeep(text)) return broken('the front matter is nested too deeply');
  try {
    const lineCounter = new LineCounter();
    const document = parseDocument(text, {
      schema: 'core',
      uniqueKeys: false,
      logLevel: 'silent',
      lineCounter,
    });
    const error = document.errors[0];
    if (error) return broken(`the front matter is not valid YAML: ${firstSentence(error.message)}`);
    const data: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    if (typeof data !== 'object' || data === null || Array.isArray(data)) {
      return text.trim() === ''
        ? { data: null, error: null, lines: {} }
        : broken('the front matter is not a YAML mapping');
    }
    const lines: Record<string, number> = {};
    if (isMap(document.contents)) {
      for (const { key } of document.contents.items) {
        if (isScalar(key) && key.range)
          lines[String(key.value)] = firstLine + lineCounter.linePos(key.range[0]).line - 1;
      }
    }
    return { data: { ...(data as Record<string, unknown>) }, error: null, lines };
  } catch (error) {
    return broken(
      `the front matter cannot be read: ${firstSentence(error instanceof Error ? error.message : String(error))}`,
    );
  }
}

/** Bounds what the parser may recurse into before it runs: flow brackets and block indentation. */
function nestsTooDeep(text: string): boolean {
  let flow = 0;
  let deepest = 0;
  for (const char of text) {
    if (char === '[' || char === '{') flow += 1;
    else if (char === ']' || char === '}') flow = Math.max(0, flow - 1);
    deepest = Math.max(deepest, flow);
    if (deepest > MAX_DEPTH) return true;
  }
  const indents = text.matchAll(/^((?:[ ]|- |\? )*)/gm);
  for (const [, indent = ''] of indents) {
    if (indent.length > 200 || (indent.match(/[-?] /g)?.length ?? 0) > MAX_DEPTH) return true;
  }
  return false;
}

const closeProblem = (chars: number) =>
  chars > MAX_FRONT_MATTER_CHARS ? 'the front matter is too large' : 'the front matter has no closing ---';

const firstSentence = (message: string) => message.split('\n')[0]?.slice(0, 200) ?? '';
