import { expect, test } from 'vitest';
import { EMPTY_STATE } from '../../../src/engine/incident/incident.ts';
import type { RecipientOutcome, StateChannel } from '../../../src/notify/channels/channel.ts';
import { createStatePublisher, type StatePublisher } from '../../../src/notify/alerting.ts';
import { handClock } from '../../support/hand-clock.ts';
import { logRecorder } from '../../support/log-recorder.ts';

const NEVER = new AbortController().signal;
const URL = 'http://127.0.0.1:9093';

interface Bench {
  readonly publish: StatePublisher;
  readonly logged: () => readonly string[];
  readonly results: readonly string[];
}

function bench(publish: StateChannel['publish']): Bench {
  const logger = logRecorder();
  const results: string[] = [];
  const channel: StateChannel = {
    kind: 'state',
    id: 'alertmanager',
    publish,
    test: () => Promise.resolve([]),
    waiting: () => 0,
    takenAt: () => null,
  };
  const publisher = createStatePublisher(channel, {
    clock: handClock(0),
    logger,
    onDelivery: (id, result) => results.push(`${id} ${result}`),
  });
  return { publish: publisher, logged: () => logger.lines.map(({ message }) => message), results };
}

test('says once that a recipient fails, and once that it takes alerts again', async () => {
  let kind: RecipientOutcome['kind'] = 'deferred';
  const { publish: publisher, logged, results } = bench(() => Promise.resolve([{ recipient: URL, kind, detail: '' }]));
  const publish = () => publisher(() => EMPTY_STATE, NEVER);
  await publish();
  await publish();
  kind = 'sent';
  await publish();
  await publish();
  expect(logged()).toEqual(['Alertmanager does not take alerts: it is tried again', 'Alertmanager takes alerts again']);
  expect(results).toEqual(['alertmanager failed', 'alertmanager failed', 'alertmanager sent', 'alertmanager sent']);
});

test('sends one message at a time, each with the state as it is then', async () => {
  const seen: string[] = [];
  let release = (): void => undefined;
  const { publish } = bench(async ({ origin }) => {
    seen.push(origin);
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    return [];
  });
  let origin = 'first';
  const state = () => ({ ...EMPTY_STATE, origin });
  const both = [publish(state, NEVER), publish(state, NEVER)];
  await expect.poll(() => seen).toEqual(['first']);
  origin = 'second';
  release();
  await both[0];
  await expect.poll(() => seen).toEqual(['first', 'second']);
  release();
  await both[1];
});

test('goes on after a channel that throws', async () => {
  let isBroken = true;
  const { publish, results } = bench(() => {
    if (isBroken) return Promise.reject(new Error('a bug'));
    return Promise.resolve([{ recipient: URL, kind: 'sent', detail: '' }]);
  });
  await publish(() => EMPTY_STATE, NEVER);
  isBroken = false;
  await publish(() => EMPTY_STATE, NEVER);
  expect(results).toEqual(['alertmanager failed', 'alertmanager sent']);
});
