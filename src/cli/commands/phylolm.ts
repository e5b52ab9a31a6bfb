import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { LoadedConfig } from '../../config/index.ts';
import {
  askModels,
  type BehaviourDocument,
  compareByBehaviour,
  createEndpoint,
  type EndpointKind,
  findKnown,
  openAnswers,
  readCompletions,
  readGenes,
} from '../../phylolm/index.ts';
import { HublineageError } from '../../types/errors.ts';
import { EXIT } from '../exit-codes.ts';
import { toPrintable } from '../format.ts';
import type { Io } from '../io.ts';
import {
  describeSaved,
  refuseNothingSaved,
  requireIndex,
  type SavedBehaviour,
  saveBehaviour,
} from '../save-behaviour.ts';
import { type CommandDefinition, type Setup, wholeNumber } from '../setup.ts';

interface PhylolmOptions {
  completions?: string;
  endpoint?: string;
  api: EndpointKind;
  models?: string;
  genes?: string;
  probes: number;
  maxTokens: number;
  temperature: number;
  concurrency: number;
  perMinute?: number;
  save?: boolean;
  keyFile?: string;
  newick?: string;
  svg?: string;
}

export const phylolm: CommandDefinition = {
  name: 'phylolm',
  description:
    'Compare language models by how they complete prompts (PhyloLM), for models whose weights cannot be read.',
  options: [
    {
      flags: '--completions <file>',
      description:
        'JSON lines of {model, prompt, completion}; with --endpoint answers are added to it, and asked only where missing',
    },
    { flags: '--endpoint <url>', description: 'inference endpoint to ask, such as http://localhost:8000/v1' },
    {
      flags: '--api <kind>',
      description: 'what the endpoint speaks: OpenAI completions, or Hugging Face text generation',
      choices: ['openai', 'hf'],
      default: 'openai',
    },
    { flags: '--models <names>', description: 'models to ask, separated by commas' },
    { flags: '--genes <file>', description: 'prompts, one a line (text, or JSON)' },
    {
      flags: '--probes <n>',
      description: 'completions a prompt; the paper takes 32 of 128 prompts',
      parse: wholeNumber(),
      default: 32,
    },
    { flags: '--max-tokens <n>', description: 'tokens a completion', parse: wholeNumber(), default: 5 },
    {
      flags: '--temperature <t>',
      description: 'sampling temperature',
      parse: (value) => {
        const t = Number(value);
        if (value.trim() === '' || !(t >= 0 && t <= 2)) throw new Error('must be a number from 0 to 2');
        return t;
      },
      default: 0.7,
    },
    {
      flags: '--concurrency <n>',
      description: 'requests under way at once',
      parse: wholeNumber(),
      default: 4,
    },
    {
      flags: '--per-minute <n>',
      description:
        'requests a minute at most; whatever the endpoint says of its own limits is obeyed besides',
      parse: wholeNumber(),
    },
    {
      flags: '--key-file <file>',
      description: "file holding the endpoint's key; the Hub's token goes to huggingface.co only",
    },
    {
      flags: '--save',
      description:
        'keep the comparison in the index: shown beside what weights tell (probe `behaviour`, nearest by behaviour), never counted',
    },
    { flags: '--newick <file>', description: 'write the tree in Newick format' },
    { flags: '--svg <file>', description: 'write a drawing of the tree' },
  ],
  examples: [
    'hublineage phylolm --completions answers.jsonl --svg tree.svg',
    'hublineage phylolm --endpoint http://localhost:8000/v1 --models org/a,org/b --genes prompts.txt --completions answers.jsonl',
    'hublineage phylolm --completions answers.jsonl --save   # then: hublineage show owner/gated-model',
  ],
  async work(setup, _args, rawOptions) {
    const options = rawOptions as unknown as PhylolmOptions;
    const { io, loaded, options: global } = setup;
    const database = loaded.config.database.file;
    // before anything is asked that may have to be paid for
    if (options.save) requireIndex(database);
    const file = options.completions;
    let source: string;
    if (options.endpoint !== undefined) source = await ask(setup, options, options.endpoint);
    else if (file !== undefined) source = basename(file);
    else
      throw new HublineageError('UsageInvalid', 'Nothing to compare.', {
        where: 'hublineage phylolm',
        hint: 'Give --completions FILE, or --endpoint URL with --models and --genes.',
      });
    const document = await compareByBehaviour(readCompletions(file ?? ''));
    if (options.newick !== undefined) await write(options.newick, `${document.newick}\n`);
    if (options.svg !== undefined) await write(options.svg, document.svg);
    const saved = options.save ? await saveBehaviour(database, document, source) : null;
    if (!global.quiet) for (const note of document.notes) io.err(`${toPrintable(note)}\n`);
    await io.out(
      global.json ? `${JSON.stringify({ ...document, saved }, null, 2)}\n` : toText(document, saved),
    );
    if (saved !== null) refuseNothingSaved(saved);
    return EXIT.done;
  },
};

/**
 * Answers go to the file as they come: what was paid for is never lost, and the next run asks only for what is missing.
 * @returns where they came from
 */
async function ask(
  { io, loaded, signal, options: global }: Setup,
  options: PhylolmOptions,
  url: string,
): Promise<string> {
  const models = [...new Set((options.models ?? '').split(',').flatMap((name) => name.trim() || []))];
  const missing = models.length === 0 ? '--models' : options.genes === undefined ? '--genes' : null;
  if (missing !== null || options.completions === undefined)
    throw new HublineageError('UsageInvalid', `An endpoint needs ${missing ?? '--completions'} as well.`, {
      where: '--endpoint',
      hint: '--models a,b names who is asked, --genes FILE what, --completions FILE keeps the answers.',
    });
  const file = options.completions;
  const genes = await readGenes(options.genes ?? '');
  const endpoint = createEndpoint({
    url,
    kind: options.api,
    key: await readKey(url, options.keyFile, loaded),
    maxTokens: options.maxTokens,
    temperature: options.temperature,
    timeoutMs: loaded.config.hub.timeoutMs,
    tries: loaded.config.hub.retries + 1,
    perMinute: options.perMinute ?? null,
    signal,
    onWait: (ms, reason) => {
      if (!global.quiet) io.err(`${reason} Waiting ${Math.ceil(ms / 1000)} s.\n`);
    },
  });
  // also tells at once when it cannot be written
  const answers = await openAnswers(file);
  try {
    if (answers.repaired > 0 && !global.quiet)
      io.err(
        `${file}: its last line was cut short when a run was stopped; that answer is asked for again.\n`,
      );
    const known = await findKnown(readCompletions(file), models, genes, options.probes);
    await askModels(endpoint, {
      models,
      genes,
      probes: options.probes,
      concurrency: options.concurrency,
      known,
      onCompletion: async (answer, done, total) => {
        await answers.append(answer);
        if (!global.quiet) showProgress(io, done, total);
      },
    });
  } finally {
    await answers.close();
  }
  return endpoint.origin;
}

async function write(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (cause) {
    throw new HublineageError('UsageInvalid', 'The tree cannot be written.', { where: path, cause });
  }
}

function showProgress(io: Io, done: number, total: number): void {
  const step = Math.max(1, Math.ceil(total / 20));
  if (done % step === 0 || done === total) io.err(`${done} of ${total} answers\n`);
}

async function readKey(
  url: string,
  keyFile: string | undefined,
  { config }: LoadedConfig,
): Promise<string | null> {
  if (keyFile !== undefined)
    try {
      return (await readFile(keyFile, 'utf8')).trim() || null;
    } catch (cause) {
      throw new HublineageError('UsageInvalid', 'The key cannot be read.', { where: keyFile, cause });
    }
  const target = URL.canParse(url) ? new URL(url) : null;
  const ours =
    target?.protocol === 'https:' &&
    (target.hostname === 'huggingface.co' || target.hostname.endsWith('.huggingface.co'));
  return ours ? config.hub.token : null;
}

function toText({ models, distance, newick }: BehaviourDocument, saved: SavedBehaviour | null): string {
  const names = models.map(toPrintable);
  const width = Math.max(...names.map((name) => name.length));
  const rows = names.map(
    (name, i) => `${name.padEnd(width)}  ${distance[i]!.map((d) => d.toFixed(3).padStart(7)).join(' ')}`,
  );
  const text = `Distances (-ln of Nei's similarity), columns in the order of the rows\n\n${rows.join('\n')}\n\n${toPrintable(newick)}\n`;
  return saved === null ? text : `${text}\n${describeSaved(saved)}`;
}
