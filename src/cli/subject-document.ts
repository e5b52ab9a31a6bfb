import type { Subject } from '../refresh/index.ts';
import { formatBytes, formatCount, toPrintable } from './format.ts';

/** A model as `compare`, `identify` and `audit DIR` print it in JSON. */
export function toSubjectDocument({ name, origin, model, read }: Subject) {
  const { family, architecture, kind, format, dtype, params, quantized, notes } = model.fingerprint;
  return { name, origin, family, architecture, kind, format, dtype, params, quantized, notes, read };
}

/** `owner/name · llama · 1,234 parameters · BF16 · safetensors · from the index` */
export function describeSubject({ name, origin, model, read }: Subject): string {
  const { family, kind, params, dtype, format } = model.fingerprint;
  const where = {
    index: 'samples from the index',
    hub: `read from the Hub (${formatBytes(read.bytes)} in ${read.requests} range reads)`,
    folder: `read from a folder (${formatBytes(read.bytes)})`,
  }[origin];
  const facts = [
    name,
    kind === 'adapter' ? `${family} adapter` : family,
    `${formatCount(params)} parameters`,
    dtype,
    format,
    where,
  ];
  return toPrintable(facts.join(' · '));
}
