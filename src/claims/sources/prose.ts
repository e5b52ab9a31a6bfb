import type { Claim } from '../../types/claims.ts';
import { isClaim, makeClaim } from '../make-claim.ts';

const MAX_PROSE_CHARS = 64 * 1024;
const MAX_HINTS = 20;
/** "fine-tuned from", "quantized version of", ... then, on the same line and soon, something with a slash. */
const MENTION =
  /\b(?:fine-?tun(?:ed?|ing)|train(?:ed|ing)|initiali[sz]ed|derived|based|built|quanti[sz](?:ed|ation)|convert(?:ed|sion)|merge[ds]?|LoRA|adapter|base model|continued pre-?training|distilled|pruned|abliterated)\b[^\n]{0,100}/gi;
const NAME =
  /(?:https?:\/\/)?(?:(?:www\.)?(?:huggingface\.co|hf\.co)\/)?([A-Za-z0-9][\w.-]{0,95}\/[A-Za-z0-9][\w.-]{0,95})/;

/** Models a card's text says it was made from, as hints: sentences mention teachers, rivals and data sets just as easily. */
export function fromProse(readme: string): Claim[] {
  const text = readme
    .slice(0, MAX_PROSE_CHARS)
    .replace(/^\s*---\r?\n[\s\S]*?\r?\n---[ \t]*$/m, '')
    .replace(/^[ \t]*```[\s\S]*?^[ \t]*```/gm, '');
  const claims: Claim[] = [];
  for (const mention of text.matchAll(MENTION)) {
    if (claims.length >= MAX_HINTS) break;
    if (/huggingface\.co\/(?:datasets|spaces|papers|docs|blog)\//i.test(mention[0])) continue;
    const name = NAME.exec(mention[0])?.[1]?.replace(/[.]+$/, '');
    const claim = name === undefined ? null : makeClaim('prose', name, { hint: true });
    if (claim && claim.normalized !== null && !isPhrase(name ?? '')) claims.push(claim);
  }
  return claims.filter(isClaim);
}

/** `and/or`, `input/output`, `LoRA/QLoRA`, `1/2`: short words with a slash between them are prose, ids have a digit, dash or dot somewhere. */
const isPhrase = (name: string) => !/[-_.\d]/.test(name) || /^\d+\/\d+$/.test(name);
