import { POSTING_CHANNELS, postingSection } from '../../support/notify/posting-channels.ts';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Alerting } from '../../../src/notify/alerting.ts';
import { alertingBench, type AlertingBench } from '../../support/notify/alerting-bench.ts';
import { channelsOf } from '../../support/notify/channel-bench.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { HOUR, MINUTE, SECOND } from '../../support/store/incident-timeline.ts';
import { jsonReceiver, type JsonReceiver, type ReceivedPost } from '../../support/notify/json-receiver.ts';

const TEMPLATE = '{ "text": "{{title}}", "key": "{{key}}" }';
const SECTIONS: readonly (readonly [what: string, sectionsOf: (url: string) => object])[] = [
  ...POSTING_CHANNELS.map((id) => [id, (url: string) => postingSection(id, `${url}/hook`)] as const),
  ['webhook with a template', (url) => postingSection('webhook', `${url}/hook`, { template: TEMPLATE })],
];

/** Starts alerting with the channels in these sections, until the end of the test. */
async function alertingOf(sections: object): Promise<readonly [AlertingBench, Alerting]> {
  const bench = alertingBench();
  onTestFinished(() => bench[Symbol.dispose]());
  const channels = await channelsOf(sections, { clock: bench.clock, env: { SET_SECRET: 'routing-key' } });
  return [bench, bench.start([], { channels })];
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
      times.push(bench.clock.elapsed());
      const refuse = answers[tries];
      tries += 1;
      if (refuse !== undefined) return refuse();
      accepted.add(post);
      return 200;
    });
    const [bench, alerting] = await alertingOf(sectionsOf(receiver.url));

    await bench.rounds(alerting, 3, [causeOf('tls-intercepted')]);
    await bench.pass(alerting, 10 * MINUTE, 5 * SECOND);
    await bench.rounds(alerting, 5, []);
    await bench.pass(alerting, HOUR, 5 * SECOND);

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
    await using receiver = await jsonReceiver(() => {
      bench.clock.advance(10 * SECOND);
      return 200;
    });
    const [bench, alerting] = await alertingOf(sectionsOf(receiver.url));
    await bench.rounds(alerting, 3, [causeOf('tls-intercepted')]);
    await bench.pass(alerting, 10 * MINUTE, 5 * SECOND);
    expect(receiver.posts).toHaveLength(1);
  });
});
