import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { askModels, findKnown } from './ask-models.ts';
import type { Answer, Completion } from './index.ts';
import { connect, serve, text } from './testing/fake-endpoint.ts';

describe('asking models', () => {
  it('asks every model every gene, never more at once than allowed', async () => {
    const hub = await serve(({ body }) => text(`${String(body.model)}!`));
    const { endpoint } = connect(hub.url);
    const genes = ['1', '2', '3', '4', '5'];
    const found: Completion[] = [];
    const onCompletion = (completion: Completion) => void found.push(completion);
    const asked = await askModels(endpoint, {
      models: ['a', 'b'],
      genes,
      probes: 4,
      concurrency: 3,
      onCompletion,
    });
    expect([asked, found.length]).toEqual([40, 40]);
    expect(hub.seen.most).toBeLessThanOrEqual(3);
    expect(found.every(({ model, completion }) => completion === `${model}!`)).toBe(true);
  });

  it('asks only for what an earlier run has not got', async () => {
    const hub = await serve(() => text('new'));
    const { endpoint } = connect(hub.url);
    const known = [
      { model: 'a', prompt: '1', completion: 'old' },
      { model: 'a', prompt: '1', completion: 'old' },
      { model: 'a', prompt: '2', completion: 'old' },
    ];
    const [models, genes] = [['a'], ['1', '2']];
    const counts = await findKnown(
      (async function* () {
        yield* known;
      })(),
      models,
      genes,
      2,
    );
    await askModels(endpoint, {
      models,
      genes,
      probes: 2,
      concurrency: 1,
      known: counts,
      onCompletion: () => {},
    });
    expect(hub.asked.map(({ body }) => [body.prompt, body.seed])).toEqual([['2', 1]]);
  });

  it('gone on with after any stop, it ends with the answers of a run that never stopped', async () => {
    const [models, genes, probes] = [['a', 'b'], ['1', '2', '3'], 4];
    const whole = models.flatMap((model) =>
      genes.flatMap((prompt) =>
        [0, 1, 2, 3].map((probe) => ({ model, prompt, probe, completion: `${model}${prompt}${probe}` })),
      ),
    );
    const endpoint = {
      origin: '',
      complete: async (model: string, prompt: string, probe: number) => `${model}${prompt}${probe}`,
    };
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(whole), async (had) => {
        const answers: Answer[] = [...had];
        const known = await findKnown(
          (async function* () {
            yield* had;
            // a model nobody asks now, and probes of a run that asked for more
            yield { model: 'c', prompt: '1', completion: '' };
            yield { model: 'a', prompt: '1', completion: '', probe: 7 };
          })(),
          models,
          genes,
          probes,
        );
        await askModels(endpoint, {
          models,
          genes,
          probes,
          known,
          concurrency: 3,
          onCompletion: (answer) => void answers.push(answer),
        });
        const inOrder = answers.map((answer) => answer.completion).sort();
        expect(inOrder).toEqual(whole.map((answer) => answer.completion).sort());
      }),
    );
  });

  it('refuses more than anybody could want', async () => {
    const none = (async function* (): AsyncGenerator<Answer> {})();
    const genes = Array.from({ length: 1000 }, (_, i) => String(i));
    await expect(findKnown(none, ['a'], genes, 1e6)).rejects.toMatchObject({ code: 'UsageInvalid' });
    const hub = await serve(() => text('x'));
    await expect(
      askModels(connect(hub.url).endpoint, {
        models: ['a'],
        genes,
        probes: 1e6,
        concurrency: 1,
        onCompletion: () => {},
      }),
    ).rejects.toMatchObject({ code: 'UsageInvalid' });
    expect(hub.asked).toEqual([]);
  });

  it('stops at the first failure', async () => {
    const hub = await serve((_, number) => (number === 3 ? { status: 404, body: {} } : text('x')));
    const { endpoint } = connect(hub.url);
    const told: string[] = [];
    await expect(
      askModels(endpoint, {
        models: ['a'],
        genes: ['1'],
        probes: 50,
        concurrency: 1,
        onCompletion: ({ completion }) => void told.push(completion),
      }),
    ).rejects.toMatchObject({ code: 'ModelUnknown' });
    expect(told).toEqual(['x', 'x']);
    expect(hub.asked.length).toBe(3);
  });

  it('stops when an answer cannot be kept: none is paid for that would be lost', async () => {
    const hub = await serve(() => text('x'));
    const { endpoint } = connect(hub.url);
    await expect(
      askModels(endpoint, {
        models: ['a'],
        genes: ['1'],
        probes: 50,
        concurrency: 2,
        onCompletion: async () => {
          throw new Error('disk full');
        },
      }),
    ).rejects.toThrow('disk full');
    expect(hub.asked.length).toBeLessThanOrEqual(2);
  });
});
