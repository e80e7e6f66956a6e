import { POSTING_CHANNELS, postingSection } from '../../support/notify/posting-channels.ts';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PLAIN_DEPS, PLAIN_PARTS } from '../../support/notify/plain-alerting.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Alerting } from '../../../src/notify/alerting.ts';
import { createStore } from '../../../src/store/store.ts';
import { liveRounds } from '../../support/notify/alerting-bench.ts';
import { channelsOf } from '../../support/notify/channel-bench.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { handClock, type HandClock } from '../../support/time/hand-clock.ts';
import { HOUR, MINUTE, SECOND, START } from '../../support/store/incident-timeline.ts';
import { jsonReceiver, type JsonReceiver, type ReceivedPost } from '../../support/notify/json-receiver.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';

const TEMPLATE = '{ "text": "{{title}}", "key": "{{key}}" }';
const SECTIONS: readonly (readonly [what: string, sectionsOf: (url: string) => object])[] = [
  ...POSTING_CHANNELS.map((id) => [id, (url: string) => postingSection(id, `${url}/hook`)] as const),
  ['webhook with a template', (url) => postingSection('webhook', `${url}/hook`, { template: TEMPLATE })],
];

/** Starts alerting with a real store and with the channels in these sections. */
async function alertingOf(sections: object): Promise<{ readonly alerting: Alerting; readonly clock: HandClock }> {
  const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-limited-'));
  const [clock, logger] = [handClock(START), logRecorder()];
  const store = createStore({ path: join(folder, 'history.sqlite'), retention: 90 * 24 * HOUR }, { clock, logger });
  onTestFinished(() => {
    store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const channels = await channelsOf(sections, { clock, env: { SET_SECRET: 'routing-key' } });
  const alerting = new Alerting(
    { channels, maintenance: { isActive: () => false }, ...PLAIN_PARTS },
    { clock, logger, journal: store.journal, ...PLAIN_DEPS, onDelivery: () => undefined },
  );
  alerting.start();
  return { alerting, clock };
}

async function pass(alerting: Alerting, clock: HandClock, time: number): Promise<void> {
  for (let rest = time; rest > 0; rest -= 5 * SECOND) {
    clock.advance(5 * SECOND);
    await alerting.idle();
  }
}

/** Returns the accepted bodies, without the fields that differ between attempts. */
function taken({ posts }: JsonReceiver, isTaken: (post: ReceivedPost) => boolean): readonly string[] {
  return posts.filter(isTaken).map(({ body }) => JSON.stringify(body));
}

describe.each(SECTIONS)('%s', (_kind, sectionsOf) => {
  it('loses nothing and doubles nothing where the service limits the rate, fails and refuses for now', async () => {
    const accepted = new Set<ReceivedPost>();
    const times: number[] = [];
    const answers: readonly (() => number | { status: number; headers: Record<string, string> })[] = [
      () => ({ status: 429, headers: { 'retry-after': '120' } }),
      () => 503,
      () => 403,
      () => ({ status: 429, headers: { 'retry-after': '60' } }),
    ];
    let tries = 0;
    await using receiver = await jsonReceiver((post) => {
      times.push(clock.elapsed());
      const refuse = answers[tries];
      tries += 1;
      if (refuse !== undefined) return refuse();
      accepted.add(post);
      return 200;
    });
    const { alerting, clock } = await alertingOf(sectionsOf(receiver.url));

    await liveRounds(alerting, clock, 3, [causeOf('tls-intercepted')]);
    await pass(alerting, clock, 10 * MINUTE);
    await liveRounds(alerting, clock, 5, []);
    await pass(alerting, clock, HOUR);

    const bodies = taken(receiver, (post) => accepted.has(post));
    // One message for the start and one for the end.
    expect(bodies).toHaveLength(2);
    expect(new Set(bodies).size).toBe(2);
    expect(receiver.posts).toHaveLength(answers.length + 2);
    // The service was not contacted for as long as it had requested.
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(120 * SECOND);
    expect((times[4] ?? 0) - (times[3] ?? 0)).toBeGreaterThanOrEqual(60 * SECOND);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeLessThan(130 * SECOND);
    expect(alerting.incidents().filter(({ status }) => status === 'open')).toEqual([]);
    expect(Object.values(alerting.pending()).reduce((sum, count) => sum + count)).toBe(0);
  });

  it('sends once what a slow service takes late', async () => {
    await using receiver = await jsonReceiver(async () => {
      await setTimeout(300);
      return 200;
    });
    const { alerting, clock } = await alertingOf(sectionsOf(receiver.url));
    await liveRounds(alerting, clock, 3, [causeOf('tls-intercepted')]);
    await pass(alerting, clock, 10 * MINUTE);
    expect(receiver.posts).toHaveLength(1);
  });
});
