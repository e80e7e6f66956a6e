import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { alertingBench, type AlertingBench } from '../../support/notify/alerting-bench.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { HOUR, MINUTE, SECOND, START } from '../../support/store/incident-timeline.ts';

const ALICE = 'alice@example.org';
const BOB = 'bob@example.org';
const intercepted = causeOf('tls-intercepted');
const mail = causeOf('mail-unreachable', { severity: 'warning' });

let bench: AlertingBench;
beforeEach(() => {
  bench = alertingBench();
});
afterEach(() => bench[Symbol.dispose]());

const statuses = (): readonly string[] =>
  bench.store.deliveries(10).map(({ delivery }) => `${delivery.recipient} ${delivery.status}`);
const sent = (): readonly string[] => bench.tries.filter((line) => line.endsWith(' sent'));
const events = (): readonly string[] => bench.logger.lines.map(({ event }) => event);
/** Whether the last line about an event says that the notification may still be sent. */
const isConditional = (about: string): boolean =>
  /\bunless\b/u.test(bench.logger.lines.findLast(({ event }) => event === about)?.message ?? '');

it('a channel that reports no outcome for a recipient is tried again later, and the others get theirs', async () => {
  bench.answer((_, recipient) => {
    if (bench.tries.length > 10) throw new Error('Tried again and again without a pause');
    return recipient === BOB ? null : 'sent';
  });
  const alerting = bench.start([ALICE, BOB]);
  await bench.rounds(alerting, 2, [intercepted]);
  // The second attempt comes after the usual pause, within the 30 s of a round.
  expect(bench.heard).toEqual([`firing ${ALICE} sent`, `firing ${BOB} unknown`, `firing ${BOB} unknown`]);
  expect(statuses().toSorted()).toEqual([`${ALICE} sent`, `${BOB} pending`]);
  bench.answer(() => 'sent');
  await bench.pass(alerting, MINUTE);
  expect(bench.heard.slice(3)).toEqual([`firing ${BOB} sent`]);
});

describe('a recipient that wants critical ones alone', () => {
  it('hears of nothing else, and nothing else waits for it', async () => {
    const alerting = bench.start([ALICE], { minSeverity: 'critical' });
    await bench.rounds(alerting, 3, [mail, intercepted]);
    await bench.rounds(alerting, 5, []);
    expect(bench.tries).toEqual(['firing tls-intercepted sent', 'resolved tls-intercepted sent']);
    expect(bench.store.deliveries(10)).toHaveLength(2);
  });

  it('is not counted where the hourly limit holds warnings back', async () => {
    const alerting = bench.start([ALICE], { minSeverity: 'critical' });
    const mails = Array.from({ length: 25 }, (_, index) => ({ ...mail, subject: `mail-${String(index)}` }));
    for (let count = 1; count <= mails.length; count += 1) await bench.rounds(alerting, 2, mails.slice(0, count));
    expect(alerting.incidents().some(({ awaitsDigest }) => awaitsDigest)).toBe(true);
    expect(alerting.pending()).toMatchObject({ email: 0 });
  });

  it('hears the end of what it heard the beginning of, also when less is wanted meanwhile', async () => {
    bench.answer(() => 'deferred');
    const before = bench.start([ALICE]);
    await bench.rounds(before, 3, [mail]);
    await bench.stop(before);
    bench.answer(() => 'sent');
    await bench.pass(bench.start([ALICE], { minSeverity: 'critical' }), 6 * MINUTE);
    expect(bench.tries.at(-1)).toBe('firing mail-unreachable sent');
  });
});

describe('a recipient that asks for a pause', () => {
  it('is sent nothing until it is over, whatever happens meanwhile, then everything once', async () => {
    bench.answer(() => ({ kind: 'deferred', retryAfter: 4 * MINUTE }));
    const alerting = bench.start([ALICE]);
    await bench.rounds(alerting, 2, [intercepted]);
    await bench.rounds(alerting, 3, [intercepted, mail]);
    expect(bench.tries).toEqual(['firing tls-intercepted deferred']);
    bench.answer(() => 'sent');
    await bench.pass(alerting, 2 * MINUTE - 10 * SECOND);
    expect(bench.tries).toHaveLength(1);
    await bench.pass(alerting, 40 * SECOND);
    expect(bench.tries.slice(1).toSorted()).toEqual(['firing mail-unreachable sent', 'firing tls-intercepted sent']);
    await bench.pass(alerting, HOUR);
    expect(bench.tries).toHaveLength(3);
    expect(alerting.pending()).toMatchObject({ email: 0 });
  });

  it('is asked again after a quarter of an hour, however long the pause, and after a restart at once', async () => {
    bench.answer(() => ({ kind: 'deferred', retryAfter: 24 * HOUR }));
    const alerting = bench.start([ALICE]);
    await bench.rounds(alerting, 2, [intercepted]);
    await bench.pass(alerting, 14 * MINUTE);
    expect(bench.tries).toHaveLength(1);
    await bench.pass(alerting, MINUTE);
    expect(bench.tries).toHaveLength(2);
    await bench.stop(alerting);
    bench.answer(() => 'sent');
    await bench.pass(bench.start([ALICE]), 10 * SECOND);
    expect(bench.tries.at(-1)).toBe('firing tls-intercepted sent');
  });

  it('does not make the others wait, and is not put off by a wall clock that is set back', async () => {
    bench.answer((_, recipient) =>
      recipient === ALICE && bench.heard.length < 2 ? { kind: 'deferred', retryAfter: MINUTE } : 'sent',
    );
    const alerting = bench.start([ALICE, BOB]);
    await bench.rounds(alerting, 2, [intercepted]);
    const first = [`firing ${ALICE} deferred`, `firing ${BOB} sent`];
    expect(bench.heard).toEqual(first);
    bench.clock.step(-6 * HOUR);
    await bench.pass(alerting, 20 * SECOND);
    expect(bench.heard).toHaveLength(2);
    await bench.pass(alerting, 20 * SECOND);
    expect(bench.heard).toEqual([...first, `firing ${ALICE} sent`]);
  });
});

describe('a message that is put off', () => {
  it('holds back its own incident and no other', async () => {
    bench.answer((causes) => (causes.includes('mail-unreachable') ? 'deferred' : 'sent'));
    const alerting = bench.start([ALICE]);
    await bench.rounds(alerting, 3, [mail]);
    await bench.rounds(alerting, 3, [mail, intercepted]);
    await bench.rounds(alerting, 10, []);
    expect(sent()).toEqual(['firing tls-intercepted sent', 'resolved tls-intercepted sent']);
    expect(bench.tries.filter((line) => line.startsWith('resolved mail'))).toEqual([]);
    expect(alerting.pending().email).toBe(2);
  });

  it('holds back the return of its fault, because services like PagerDuty identify alerts by the fault', async () => {
    const alerting = bench.start([ALICE]);
    await bench.rounds(alerting, 3, [intercepted]);
    bench.answer(() => 'deferred');
    await bench.rounds(alerting, 80, []);
    await bench.rounds(alerting, 3, [intercepted]);
    bench.answer(() => 'sent');
    await bench.pass(alerting, 6 * MINUTE);
    expect(alerting.incidents().filter(({ status }) => status === 'open')).toHaveLength(1);
    expect(sent()).toEqual(['firing', 'resolved', 'firing'].map((event) => `${event} tls-intercepted sent`));
  });

  it('is given up after five days, and the log says so', async () => {
    bench.answer(() => 'deferred');
    const alerting = bench.start([ALICE]);
    await bench.rounds(alerting, 2, [intercepted]);
    expect(events()).toContain('notification-deferred');
    bench.clock.step(5 * 24 * HOUR);
    await bench.pass(alerting, MINUTE, MINUTE);
    expect(statuses().at(-1)).toBe(`${ALICE} expired`);
    expect(bench.results).toContain('email expired');
    expect(isConditional('notification-expired')).toBe(true);
    bench.answer(() => 'sent');
    await bench.pass(alerting, 10 * MINUTE, MINUTE);
    expect(sent()).not.toEqual([]);
  });
});

describe('what every server refuses', () => {
  it('is given up for its recipient alone', async () => {
    bench.answer((_, recipient) => (recipient === ALICE ? 'rejected' : 'sent'));
    const alerting = bench.start([ALICE, BOB]);
    await bench.rounds(alerting, 2, [intercepted]);
    expect(statuses()).toEqual([`${BOB} sent`, `${ALICE} rejected`]);
    expect(new Set(bench.results)).toEqual(new Set(['email rejected', 'email sent']));
    expect(isConditional('notification-rejected')).toBe(true);
    expect(events()).not.toContain('notification-deferred');
    expect(alerting.pending().email).toBe(0);
  });

  it('is sent as soon as a server takes it, while the incident is open', async () => {
    bench.answer(() => 'rejected');
    const first = bench.start([ALICE]);
    await bench.rounds(first, 60, [intercepted]);
    expect(bench.tries.length).toBeLessThan(13);
    expect(new Set(bench.results)).toEqual(new Set(['email rejected']));
    await bench.stop(first);
    bench.answer(() => 'sent');
    await bench.rounds(bench.start([ALICE]), 11, [intercepted]);
    expect(sent()).toEqual(['firing tls-intercepted sent']);
    expect(bench.lateness.at(-1)).toBe(START + 30 * SECOND);
    expect(statuses()).toEqual([`${ALICE} sent`]);
  });

  it('is not sent once its incident is over', async () => {
    bench.answer(() => 'rejected');
    const alerting = bench.start([ALICE]);
    await bench.rounds(alerting, 5, [intercepted]);
    await bench.rounds(alerting, 5, []);
    expect(bench.tries.at(-1)).toBe('resolved tls-intercepted rejected');
    expect(events().at(-1)).toBe('notification-rejected');
    expect(isConditional('notification-rejected')).toBe(false);
    const before = bench.tries.length;
    bench.answer(() => 'sent');
    await bench.pass(alerting, 20 * MINUTE, MINUTE);
    expect(bench.tries.slice(before)).toEqual([]);
  });

  it('is sent once, as the newest about its incident', async () => {
    bench.answer(() => 'rejected');
    const alerting = bench.start([ALICE]);
    await bench.rounds(alerting, 3, [intercepted]);
    bench.clock.advance(4 * HOUR);
    await bench.rounds(alerting, 3, [intercepted]);
    expect(bench.tries.at(-1)).toBe('reminder tls-intercepted rejected');
    bench.answer(() => 'sent');
    await bench.rounds(alerting, 20, [intercepted]);
    expect(sent()).toEqual(['reminder tls-intercepted sent']);
    expect(statuses()).toEqual([`${ALICE} sent`, `${ALICE} withdrawn`]);
  });

  it('does not hold back what a server takes about the same incident', async () => {
    bench.answer(() => 'rejected');
    const alerting = bench.start([ALICE]);
    await bench.rounds(alerting, 3, [intercepted]);
    bench.clock.step(4 * HOUR);
    // The first notification is due again too, and is sent last.
    bench.answer(() => 'sent');
    await bench.rounds(alerting, 20, [intercepted]);
    expect(sent()).toEqual(['reminder tls-intercepted sent']);
  });
});
