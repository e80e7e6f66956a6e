import { describe, expect, it } from 'vitest';
import type { Alerting } from '../../../src/notify/alerting.ts';
import { alertingBench, type AlertingBench } from '../../support/notify/alerting-bench.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { SECOND } from '../../support/store/incident-timeline.ts';

const NOW = AbortSignal.abort(new Error('now'));
const CAUSES = [causeOf('tls-intercepted')];

/** Starts sending an alert. Its receiver does not respond until `answer` is called. */
async function underWay(bench: AlertingBench): Promise<{ readonly first: Alerting; readonly answer: () => void }> {
  const answer = bench.hold();
  const first = bench.start(['ops']);
  for (let round = 0; round < 2; round += 1) first.accept(diagnosisOf(bench.clock.now(), CAUSES), null);
  await expect.poll(() => bench.waiting()).toBe(1);
  return { first, answer };
}

function statuses({ store }: AlertingBench): readonly string[] {
  return store.deliveries(10).map(({ delivery }) => `${delivery.status} ${String(delivery.attempts)}`);
}

describe('a delivery under way when alerting is handed over', () => {
  it('goes on, and its outcome is written by the one that took it over', async () => {
    using bench = alertingBench();
    const { first, answer } = await underWay(bench);
    const attempts = await first.handOver(NOW);
    const second = bench.start(['ops'], { underWay: attempts });
    expect(bench.waiting()).toBe(1);
    answer();
    await second.idle();
    expect(bench.tries).toEqual(['firing tls-intercepted sent']);
    expect(statuses(bench)).toEqual(['sent 1']);
    expect(bench.results).toEqual(['email sent']);
  });

  it('is handed on as often as it takes', async () => {
    using bench = alertingBench();
    const { first, answer } = await underWay(bench);
    let last = first;
    for (let times = 0; times < 6; times += 1) last = bench.start(['ops'], { underWay: await last.handOver(NOW) });
    answer();
    await last.idle();
    expect(bench.tries).toEqual(['firing tls-intercepted sent']);
    expect(statuses(bench)).toEqual(['sent 1']);
  });

  it('is tried again by the other one when it was not taken', async () => {
    using bench = alertingBench();
    const { first, answer } = await underWay(bench);
    bench.answer(() => 'deferred');
    const second = bench.start(['ops'], { underWay: await first.handOver(NOW) });
    answer();
    await second.idle();
    expect(statuses(bench)).toEqual(['pending 1']);
    bench.answer(() => 'sent');
    bench.clock.advance(10 * SECOND);
    await second.idle();
    expect(bench.tries).toEqual(['firing tls-intercepted deferred', 'firing tls-intercepted sent']);
  });

  it('holds back what comes after it about the same incident, and nothing else', async () => {
    using bench = alertingBench();
    const { first, answer } = await underWay(bench);
    const second = bench.start(['ops'], { underWay: await first.handOver(NOW) });
    const goOn = bench.hold();
    for (let round = 0; round < 6; round += 1) {
      bench.clock.advance(30 * SECOND);
      second.accept(diagnosisOf(bench.clock.now(), [causeOf('mail-unreachable')]), null);
    }
    goOn();
    await expect.poll(() => bench.tries).toEqual(['firing mail-unreachable sent']);
    answer();
    await expect.poll(() => bench.tries).toContain('firing tls-intercepted sent');
    bench.clock.advance(2 * SECOND);
    await second.idle();
    expect(bench.tries).toEqual([
      'firing mail-unreachable sent',
      'firing tls-intercepted sent',
      'resolved tls-intercepted sent',
    ]);
  });

  it('to a recipient who is no longer configured counts when it was taken, and is withdrawn when it was not', async () => {
    for (const said of ['sent', 'deferred'] as const) {
      using bench = alertingBench();
      const { first, answer } = await underWay(bench);
      bench.answer(() => said);
      const second = bench.start(['others'], { underWay: await first.handOver(NOW) });
      answer();
      await second.idle();
      bench.clock.advance(10 * SECOND);
      await second.idle();
      expect(statuses(bench)).toEqual([said === 'sent' ? 'sent 1' : 'withdrawn 1']);
    }
  });

  it('is broken off at the end of the one that took it over, and due again after a restart', async () => {
    using bench = alertingBench();
    const { first } = await underWay(bench);
    const second = bench.start(['ops'], { underWay: await first.handOver(NOW) });
    await second.stop(NOW);
    expect(bench.tries).toEqual(['firing tls-intercepted broken off']);
    expect(statuses(bench)).toEqual(['pending 0']);
  });
});
