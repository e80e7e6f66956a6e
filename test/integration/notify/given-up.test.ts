import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Cause } from '../../../src/engine/model.ts';
import type { Alerting } from '../../../src/notify/alerting.ts';
import { alertingBench, liveRounds, type AlertingBench } from '../../support/notify/alerting-bench.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { HOUR, MINUTE, SECOND, START } from '../../support/store/incident-timeline.ts';

const ALICE = 'alice@example.org';
const BOB = 'bob@example.org';
const intercepted = causeOf('tls-intercepted');
const mail = causeOf('mail-unreachable');

let bench: AlertingBench;

beforeEach(() => {
  bench = alertingBench();
});

afterEach(() => {
  bench[Symbol.dispose]();
});

const rounds = (alerting: Alerting, count: number, causes: readonly Cause[]): Promise<void> =>
  liveRounds(alerting, bench.clock, count, causes);

async function minutes(alerting: Alerting, count: number): Promise<void> {
  for (let minute = 0; minute < count; minute += 1) {
    bench.clock.advance(MINUTE);
    await alerting.idle();
  }
}

const statuses = (): readonly string[] =>
  bench.store.deliveries(10).map(({ delivery }) => `${delivery.recipient} ${delivery.status}`);
const events = (): readonly string[] => bench.logger.lines.map(({ event }) => event);
/** Whether the last line about an event says that the notification may still be sent. */
const isConditional = (about: string): boolean =>
  /\bunless\b/u.test(bench.logger.lines.findLast(({ event }) => event === about)?.message ?? '');

describe('a message that is put off', () => {
  it('holds back its own incident and no other', async () => {
    bench.answer((causes) => (causes.includes('mail-unreachable') ? 'deferred' : 'sent'));
    const alerting = bench.start([ALICE]);
    await rounds(alerting, 3, [mail]);
    await rounds(alerting, 3, [mail, intercepted]);
    await rounds(alerting, 10, []);
    expect(bench.tries.filter((line) => line.endsWith(' sent'))).toEqual([
      'firing tls-intercepted sent',
      'resolved tls-intercepted sent',
    ]);
    expect(bench.tries.filter((line) => line.startsWith('resolved mail'))).toEqual([]);
    expect(alerting.pending().email).toBe(2);
  });

  it('is given up after five days, and the log says so', async () => {
    bench.answer(() => 'deferred');
    const alerting = bench.start([ALICE]);
    await rounds(alerting, 2, [intercepted]);
    expect(events()).toContain('notification-deferred');
    bench.clock.step(5 * 24 * HOUR);
    await minutes(alerting, 1);
    expect(statuses().at(-1)).toBe(`${ALICE} expired`);
    expect(bench.results).toContain('email expired');
    expect(events()).toContain('notification-expired');
    expect(isConditional('notification-expired')).toBe(true);
    bench.answer(() => 'sent');
    await minutes(alerting, 10);
    expect(bench.tries.filter((line) => line.endsWith(' sent'))).not.toEqual([]);
  });
});

describe('what every server refuses', () => {
  it('is given up for its recipient alone', async () => {
    bench.answer((_, recipient) => (recipient === ALICE ? 'rejected' : 'sent'));
    const alerting = bench.start([ALICE, BOB]);
    await rounds(alerting, 2, [intercepted]);
    expect(statuses()).toEqual([`${BOB} sent`, `${ALICE} rejected`]);
    expect(new Set(bench.results)).toEqual(new Set(['email rejected', 'email sent']));
    expect(events()).toContain('notification-rejected');
    expect(isConditional('notification-rejected')).toBe(true);
    expect(events()).not.toContain('notification-deferred');
    expect(alerting.pending().email).toBe(0);
  });

  it('is sent as soon as a server takes it, while the incident is open', async () => {
    bench.answer(() => 'rejected');
    const first = bench.start([ALICE]);
    await rounds(first, 60, [intercepted]);
    expect(bench.tries.length).toBeLessThan(13);
    expect(new Set(bench.results)).toEqual(new Set(['email rejected']));
    await first.stop(new AbortController().signal);

    bench.answer(() => 'sent');
    const second = bench.start([ALICE]);
    await rounds(second, 11, [intercepted]);
    expect(bench.tries.filter((line) => line.endsWith('sent'))).toEqual(['firing tls-intercepted sent']);
    expect(bench.lateness.at(-1)).toBe(START + 30 * SECOND);
    expect(statuses()).toEqual([`${ALICE} sent`]);
  });

  it('is not sent once its incident is over', async () => {
    bench.answer(() => 'rejected');
    const alerting = bench.start([ALICE]);
    await rounds(alerting, 5, [intercepted]);
    await rounds(alerting, 5, []);
    expect(bench.tries.at(-1)).toBe('resolved tls-intercepted rejected');
    expect(events().at(-1)).toBe('notification-rejected');
    expect(isConditional('notification-rejected')).toBe(false);
    const before = bench.tries.length;
    bench.answer(() => 'sent');
    await minutes(alerting, 20);
    expect(bench.tries.slice(before)).toEqual([]);
  });

  it('is sent once, as the newest about its incident', async () => {
    bench.answer(() => 'rejected');
    const alerting = bench.start([ALICE]);
    await rounds(alerting, 3, [intercepted]);
    bench.clock.advance(4 * HOUR);
    await rounds(alerting, 3, [intercepted]);
    expect(bench.tries.at(-1)).toBe('reminder tls-intercepted rejected');
    const before = bench.tries.length;
    bench.answer(() => 'sent');
    await rounds(alerting, 20, [intercepted]);
    expect(bench.tries.slice(before)).toEqual(['reminder tls-intercepted sent']);
    expect(statuses()).toEqual([`${ALICE} sent`, `${ALICE} withdrawn`]);
  });

  it('does not hold back what a server takes about the same incident', async () => {
    bench.answer(() => 'rejected');
    const alerting = bench.start([ALICE]);
    await rounds(alerting, 3, [mail]);
    bench.clock.step(4 * HOUR);
    // The first notification is due again too, and is sent last.
    bench.answer(() => 'sent');
    await rounds(alerting, 20, [mail]);
    expect(bench.tries.filter((line) => line.endsWith('sent'))).toEqual(['reminder mail-unreachable sent']);
  });
});
