import { createHubClient } from '../client.ts';
import type { HubClient, HubClientOptions, HubEvent } from '../contract.ts';
import { type FakeHub, type FakeHubOptions, startFakeHub } from './fake-hub.ts';
import { createSkippingClock } from './skipping-clock.ts';

export interface Bench {
  hub: FakeHub;
  client: HubClient;
  events: HubEvent[];
  slept: number[];
}

/** A fake Hub and a client that talks to it, both gone afterwards. */
export async function withHub<T>(
  hubOptions: FakeHubOptions,
  run: (bench: Bench) => Promise<T>,
  clientOptions: Partial<HubClientOptions> = {},
): Promise<T> {
  const hub = await startFakeHub(hubOptions);
  const events: HubEvent[] = [];
  const clock = createSkippingClock();
  const client = createHubClient({
    endpoint: hub.origin,
    token: 'hf_secret',
    userAgent: 'hublineage/test (nobody@example.org)',
    random: () => 0.5,
    timeoutMs: 20_000,
    clock,
    onEvent: (event) => events.push(event),
    ...clientOptions,
  });
  try {
    return await run({ hub, client, events, slept: clock.slept });
  } finally {
    await client.close();
    await hub.close();
  }
}
