import { describe, expect, it } from 'vitest';
import { askModels, countAnswers } from './ask-models.ts';
import type { Completion } from './index.ts';
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
    const counts = await countAnswers(
      (async function* () {
        yield* known;
      })(),
      models,
      genes,
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
