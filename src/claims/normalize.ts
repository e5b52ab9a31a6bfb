/** Longest text taken from a card as one declaration; the Hub's own limit for a repo id is 96. */
export const MAX_RAW_CHARS = 500;

/** One segment of a Hub id: letters, digits, `-_.`, no `--` or `..`, not ending in `.git` or `.ipynb` (huggingface_hub's validate_repo_id). */
const SEGMENT = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?$/;
const HUB_HOSTS = new Set(['huggingface.co', 'www.huggingface.co', 'hf.co', 'www.hf.co']);
/** First segments of Hub URLs that are pages or other repo types, and folder names that local paths start with. */
const NOT_OWNERS = new Set(
  'datasets spaces docs blog papers collections settings api models organizations join login pricing tasks'.split(
    ' ',
  ),
);
const LOCAL_FOLDERS = new Set(
  (
    'workspace output outputs checkpoint checkpoints model weights content mnt data home root users user tmp temp ' +
    'var opt scratch kaggle runs results save saved pretrained local path to'
  ).split(' '),
);
const FILE_NAME = /\.(?:safetensors|gguf|ckpt|bin|pt|pth|json|zip)$/i;

/**
 * `owner/name` (or a bare legacy `name`) read out of what somebody typed, or null when it names no Hub repo: a local path, another
 * site, a sentence. Accepted besides plain ids: Hub URLs (`https://huggingface.co/o/n/tree/main`, `hf.co/o/n`), `hf://o/n`, `hf:o/n`,
 * `models/o/n`, `o/n@rev`, `o/n:Q4_K_M`, `o/n.git`, quotes, spaces around the slash, trailing slashes. Case is kept as typed.
 */
export function normalizeRepoName(raw: string): string | null {
  if (raw.length > MAX_RAW_CHARS) return null;
  let text = raw
    .trim()
    .replace(/^[<"'`[(]+|[>"'`\]),;]+$/g, '')
    .trim();
  // a Markdown link: the target says more than the text
  const link = /\]\(\s*<?([^)\s>]+)/.exec(raw);
  if (link?.[1]) text = link[1];
  const url = fromUrl(text);
  if (url === null) return null;
  text = url.replace(/^hf:(?:\/\/)?/i, '').replace(/^models\//, '');
  if (text === '' || /^[./~\\]|^[A-Za-z]:[\\/]|\\|:\/\//.test(text)) return null;
  text = text
    .replace(/[?#].*$/, '')
    .replace(/\s*\/\s*/g, '/')
    .replace(/\/+$/, '');
  text = text
    .replace(/@[A-Za-z0-9._/-]+$/, '')
    .replace(/:[A-Za-z0-9._-]+$/, '')
    .replace(/\.git$/i, '');
  const parts = text.split('/');
  if (parts.length > 2 && /^(?:tree|blob|resolve|raw|commit)$/.test(parts[2] ?? '')) parts.length = 2;
  if (parts.length > 2 || parts.some((part) => !isSegment(part))) return null;
  const [owner = '', name] = parts;
  if (name === undefined) return isBareModelName(owner) ? owner : null;
  if (NOT_OWNERS.has(owner.toLowerCase())) return null;
  if (FILE_NAME.test(name) || isLocalFolder(owner, name)) return null;
  return `${owner}/${name}`;
}

/**
 * `output/checkpoint-500` has an id's shape and is a folder on somebody's disk. Only where both halves look like it: an owner may well be
 * called `models` or `data`, and a base that exists must not be taken for one that does not.
 */
const isLocalFolder = (owner: string, name: string) =>
  /^checkpoint-\d+$/i.test(name) ||
  (LOCAL_FOLDERS.has(owner.toLowerCase()) &&
    /^(?:checkpoints?|step|epoch|final|best|last|latest|output|model|merged)\b/i.test(
      name.replaceAll('_', '-'),
    ));

/** Path part of a Hub URL, the text itself when it is no URL, null when it is a URL that leads elsewhere. */
function fromUrl(text: string): string | null {
  const match = /^(?:(https?|git|ssh):)?\/\/([^/?#\s]+)\/?(.*)$/i.exec(text) ?? bareHost(text);
  if (!match) return text;
  const host = (match[2] ?? '')
    .toLowerCase()
    .replace(/^[^@]*@/, '')
    .replace(/:\d+$/, '');
  if (!HUB_HOSTS.has(host)) return null;
  return match[3] ?? '';
}

function bareHost(text: string): RegExpExecArray | null {
  const match = /^()((?:www\.)?(?:huggingface\.co|hf\.co))\/(.*)$/i.exec(text);
  return match;
}

function isSegment(text: string): boolean {
  return text.length <= 96 && SEGMENT.test(text) && !text.includes('--') && !text.includes('..');
}

/** Legacy ids have no owner (`gpt2`); a bare word or file name is not taken for one unless it could be. */
function isBareModelName(text: string): boolean {
  return (
    text.length >= 3 &&
    /[A-Za-z]/.test(text) &&
    !FILE_NAME.test(text) &&
    !/^(?:none|null|n\/a|unknown|base|model|todo|tbd|custom|scratch|true|false)$/i.test(text)
  );
}
