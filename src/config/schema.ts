import { z } from 'zod';

/** The default of `lineage.minProbability`: what the benches measure. */
export const DEFAULT_MIN_PROBABILITY = 0.25;

/** Hub tag filters whose union finds a family; the Hub matches tags exactly. Sources: config.model_type, licences, model_index.json, training scripts. */
export const DEFAULT_FILTERS = {
  llama: [
    'llama',
    'llama4',
    'llama4_text',
    'mllama',
    'llama-2',
    'llama-3',
    'license:llama2',
    'license:llama3',
    'license:llama3.1',
    'license:llama3.2',
    'license:llama3.3',
    'license:llama4',
  ],
  'stable-diffusion': [
    'stable-diffusion',
    'stable-diffusion-diffusers',
    'stable-diffusion-xl',
    'stable-diffusion-xl-diffusers',
    'diffusers:StableDiffusionPipeline',
    'diffusers:StableDiffusionXLPipeline',
    'diffusers:StableDiffusionImg2ImgPipeline',
    'diffusers:StableDiffusionInpaintPipeline',
    'diffusion-single-file',
  ],
};

const count = (low: number, high: number) => z.number().int().min(low).max(high);
const text = z.string().min(1).max(500);
const httpUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
  .transform((url) => url.replace(/\/+$/, ''));

/** The config file: every key optional, defaults filled in. Descriptions become the JSON schema and docs/reference/config.md. */
export const configSchema = z.strictObject({
  $schema: z.string().optional().describe('Where editors find the schema of this file.'),
  hub: z
    .strictObject({
      endpoint: httpUrl
        .default('https://huggingface.co')
        .describe('Origin of the Hub. The environment variable HF_ENDPOINT wins over it.'),
      contact: text
        .nullable()
        .default(null)
        .describe('E-mail or URL put into the User-Agent, so that the people of the Hub can reach you.'),
      quotaShare: z
        .number()
        .gt(0)
        .max(1)
        .default(0.9)
        .describe('Share of each rate limit that a run may use; 0.9 leaves a tenth for you.'),
      concurrency: count(1, 64).default(8).describe('Parallel requests to the Hub.'),
      cdnConcurrency: count(1, 128).default(16).describe('Parallel range reads on signed URLs.'),
      timeoutMs: count(1000, 600_000)
        .default(30_000)
        .describe('Longest silence of a connection, in milliseconds.'),
      retries: count(0, 20)
        .default(5)
        .describe('Further tries of one request before its repo counts as failed.'),
      redirectHosts: z
        .array(text)
        .max(50)
        .default(['huggingface.co', '*.huggingface.co', '*.hf.co'])
        .describe('Hosts a redirect may lead to besides the endpoint itself; `*.` matches every subdomain.'),
      pageSize: count(1, 1000).default(1000).describe('Rows a listing page.'),
    })
    .prefault({}),
  scope: z
    .strictObject({
      families: z
        .array(z.enum(['llama', 'stable-diffusion']))
        .min(1)
        .default(['llama', 'stable-diffusion'])
        .describe('Families to index.'),
      filters: z
        .strictObject({
          llama: z
            .array(text)
            .max(100)
            .default(DEFAULT_FILTERS.llama)
            .describe('Tags whose union finds Llama repos.'),
          'stable-diffusion': z
            .array(text)
            .max(100)
            .default(DEFAULT_FILTERS['stable-diffusion'])
            .describe('Tags whose union finds Stable Diffusion repos.'),
        })
        .prefault({})
        .describe('Tag filters of the listing, by family.'),
      authors: z
        .array(text)
        .max(10_000)
        .default([])
        .describe('Only repos of these users and organisations; empty = everybody.'),
      repos: z
        .array(text)
        .max(1_000_000)
        .default([])
        .describe('Repos indexed besides what the filters find.'),
      reconcileDays: count(1, 3650)
        .default(7)
        .describe('Days between full walks, which notice repos that are gone.'),
      readCards: z
        .enum(['never', 'missing', 'always'])
        .default('missing')
        .describe(
          'When README.md is fetched besides the card data of the listing: `missing` = where the listing has none.',
        ),
    })
    .prefault({}),
  sampling: z
    .strictObject({
      valuesPerTensor: count(64, 65_536).default(512).describe('Values stored of each matrix.'),
      maxRequests: count(8, 4096).default(256).describe('Range requests a model.'),
      maxBytes: count(100_000, 1_000_000_000).default(4_000_000).describe('Bytes read a model.'),
      seed: count(0, 2 ** 31 - 1)
        .default(1)
        .describe(
          'Seed of the positions. Fingerprints of different seeds cannot be compared: changing it reads every model again.',
        ),
      concurrency: count(1, 256).default(8).describe('Models fingerprinted at once.'),
    })
    .prefault({}),
  lineage: z
    .strictObject({
      method: text
        .default('hublineage')
        .describe(
          'How edges are inferred: `hublineage`, or a method of the literature (`hublineage infer --help` lists them).',
        ),
      seed: count(0, 2 ** 31 - 1)
        .default(1)
        .describe('Seed of whatever the method draws.'),
      minProbability: z
        .number()
        .min(0)
        .max(1)
        .default(DEFAULT_MIN_PROBABILITY)
        .describe(
          'An edge below this is not chosen, nor is one that is less likely than that no model of the index is the parent.',
        ),
      contradictionPValue: z
        .number()
        .gt(0)
        .max(0.01)
        .default(1e-6)
        .describe('`contradicted` needs a chance below this.'),
    })
    .prefault({}),
  database: z
    .strictObject({ file: text.default('hublineage.sqlite').describe('The SQLite file.') })
    .prefault({}),
  report: z
    .strictObject({
      directory: text.default('hublineage-out').describe('Where reports are written.'),
      formats: z
        .array(z.enum(['markdown', 'html', 'json', 'csv']))
        .default(['markdown', 'html', 'json', 'csv'])
        .describe('Reports written after a refresh.'),
      top: count(1, 1000).default(10).describe('Findings printed at the end of a run.'),
      metricsFile: text
        .nullable()
        .default(null)
        .describe(
          'Prometheus text file written after each run, for the textfile collector of node_exporter; null = none.',
        ),
    })
    .prefault({}),
  run: z
    .strictObject({
      maxRequests: count(1, 1e9)
        .nullable()
        .default(null)
        .describe('Stop a run after this many requests to the Hub; null = no limit.'),
      maxBytes: count(1, 1e15)
        .nullable()
        .default(null)
        .describe('Stop a run after this many bytes; null = no limit.'),
      deadline: z
        .string()
        .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as 06:00')
        .nullable()
        .default(null)
        .describe('Stop a run at this local time of day; null = no deadline.'),
      limit: count(1, 1e9)
        .nullable()
        .default(null)
        .describe('Fingerprint at most this many models a run; null = no limit.'),
    })
    .prefault({}),
});

/** JSON Schema of the config file, for editors. */
export function configJsonSchema(): Record<string, unknown> {
  return {
    ...z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }),
    title: 'hublineage configuration',
  };
}
