import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Alerting } from '../../../src/notify/alerting.ts';
import { createMaintenance } from '../../../src/notify/maintenance.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { createMailServer } from '../../support/mail/mail-server.ts';
import { alertingBench, type AlertingBench, type AlertingOptions } from '../../support/notify/alerting-bench.ts';
import { AT_PUBLIC_HQ, channelsOf } from '../../support/notify/channel-bench.ts';
import { jsonReceiver } from '../../support/notify/json-receiver.ts';
import { HOUR, MINUTE, SECOND, START } from '../../support/store/incident-timeline.ts';

const ALICE = 'alice@example.org';
const BOB = 'bob@example.org';
const intercepted = causeOf('tls-intercepted');

let bench: AlertingBench;
beforeEach(() => {
  bench = alertingBench();
});
afterEach(() => bench[Symbol.dispose]());

function start(options?: AlertingOptions): Alerting {
  return bench.start([ALICE, BOB], options);
}

const told = (event: string): readonly string[] => [`${event} ${ALICE} sent`, `${event} ${BOB} sent`];

describe('Alerting', () => {
  it('tells everybody once that it began and once that it ended', async () => {
    const alerting = start();
    await bench.rounds(alerting, 5, [intercepted]);
    await bench.rounds(alerting, 5, []);
    expect(bench.heard).toEqual([...told('firing'), ...told('resolved')]);
    expect(bench.results).toEqual(Array.from({ length: 4 }, () => 'email sent'));
    const transitions = bench.logger.lines.filter(({ fields }) => 'transition' in fields);
    expect(transitions.map(({ fields }) => fields)).toMatchObject([
      { transition: 'opened', cause: 'tls-intercepted' },
      { transition: 'closed', cause: 'tls-intercepted' },
    ]);
    await bench.stop(alerting);
    expect(bench.clock.timers()).toBe(0);
  });

  it('goes on after a restart in the middle of an incident, and of its confirmation', async () => {
    for (let restart = 0; restart < 2; restart += 1) {
      const before = start();
      await bench.rounds(before, 1, [intercepted]);
      await bench.stop(before);
    }
    const last = start();
    await bench.rounds(last, 3, [intercepted]);
    await bench.rounds(last, 2, []);
    expect(bench.heard).toEqual([...told('firing'), ...told('resolved')]);
    expect(last.incidents()).toHaveLength(1);
  });

  it('says whether it goes on by itself', async () => {
    const alerting = start();
    bench.clock.advance(HOUR);
    expect(alerting.isWorking()).toBe(true);
    await bench.stop(alerting);
    expect(alerting.isWorking()).toBe(false);

    let broken = false;
    const isActive = (): boolean => {
      if (broken) throw new Error('a bug');
      return false;
    };
    const wedged = start({ maintenance: { isActive } });
    broken = true;
    for (let tick = 0; tick < 2; tick += 1) expect(() => bench.clock.advance(15 * SECOND)).toThrow('a bug');
    expect(wedged.isWorking()).toBe(false);
    broken = false;
    bench.clock.advance(15 * SECOND);
    expect(wedged.isWorking()).toBe(true);
  });

  it('wakes every 15 seconds, but every two while a delivery may have to be repeated', async () => {
    let ticks = 0;
    const alerting = bench.start([ALICE], { maintenance: { isActive: () => (ticks += 1) < 0 } });
    const ticksIn = async (time: number): Promise<number> => {
      await alerting.idle();
      const before = ticks;
      await bench.pass(alerting, time, time);
      return ticks - before;
    };
    expect(await ticksIn(HOUR)).toBe(240);
    bench.answer(() => 'deferred');
    await bench.rounds(alerting, 2, [intercepted]);
    expect(await ticksIn(MINUTE)).toBe(30);
    bench.answer(() => 'sent');
    await ticksIn(5 * MINUTE);
    expect(bench.heard.at(-1)).toBe(`firing ${ALICE} sent`);
    // The incident is still open, which needs reminders only.
    await ticksIn(MINUTE);
    expect(await ticksIn(HOUR)).toBe(240);
  });

  it('tries again with growing delays, and says since when', async () => {
    const alerting = bench.start([ALICE]);
    bench.answer(() => 'deferred');
    await bench.rounds(alerting, 2, [intercepted]);
    const began = bench.tries.length;
    await bench.pass(alerting, 600 * SECOND, SECOND);
    expect(bench.tries.length - began).toBeLessThan(8);
    expect(alerting.pending()).toMatchObject({ email: 1, webhook: 0, alertmanager: 0 });
    bench.answer(() => 'sent');
    await bench.pass(alerting, 5 * MINUTE, 5 * MINUTE);
    expect(bench.heard.at(-1)).toBe(`firing ${ALICE} sent`);
    expect(bench.lateness.slice(0, 2)).toEqual([null, START + 30 * SECOND]);
    expect(alerting.pending().email).toBe(0);
  });

  it('keeps the order for each recipient, and holds nobody up for another', async () => {
    const alerting = start();
    bench.answer((_, recipient) => (recipient === ALICE ? 'deferred' : 'sent'));
    await bench.rounds(alerting, 2, [intercepted]);
    await bench.rounds(alerting, 2, []);
    expect(bench.heard.filter((line) => line.includes(BOB))).toEqual([`firing ${BOB} sent`, `resolved ${BOB} sent`]);
    expect(bench.heard.some((line) => line.startsWith(`resolved ${ALICE}`))).toBe(false);
    bench.answer(() => 'sent');
    await bench.pass(alerting, 10 * MINUTE, MINUTE);
    const sent = bench.heard.filter((line) => line.endsWith(`${ALICE} sent`));
    expect(sent).toEqual([`firing ${ALICE} sent`, `resolved ${ALICE} sent`]);
  });

  it('forgets recipients that are no longer configured', async () => {
    bench.answer((_, recipient) => (recipient === ALICE ? 'deferred' : 'sent'));
    const before = start();
    await bench.rounds(before, 2, [intercepted]);
    await bench.stop(before);
    const after = bench.start([BOB]);
    await after.idle();
    expect(after.pending().email).toBe(0);
    const alice = bench.store.deliveries(10).find(({ delivery }) => delivery.recipient === ALICE);
    expect(alice?.delivery).toMatchObject({ status: 'withdrawn', detail: expect.stringContaining('configured') });
  });

  it('does not let one channel wait for another, nor a broken one break the rest', async () => {
    const hanging = bench.channel(['http://a'], { id: 'webhook', deliver: () => new Promise(() => undefined) });
    const throwing = bench.channel(['http://b'], { id: 'webhook', deliver: () => Promise.reject(new Error('bug')) });
    const alerting = start({ channels: [hanging, throwing, bench.channel([ALICE])] });
    for (let index = 0; index < 2; index += 1) alerting.accept(diagnosisOf(bench.clock.now(), [intercepted]), null);
    await expect.poll(() => bench.heard).toEqual([`firing ${ALICE} sent`]);
    await expect.poll(() => bench.results).toContain('webhook failed');
    expect(alerting.pending()).toMatchObject({ email: 0, webhook: 2 });
    const stopping = alerting.stop(AbortSignal.abort(new Error('now')));
    await expect(Promise.race([stopping.then(() => 'stopped'), Promise.resolve('waits')])).resolves.toBe('waits');
  });

  it('waits at the end for answers, and sends again, as the same message, what has none', async () => {
    for (const isAnswered of [true, false]) {
      using own = alertingBench();
      const answer = own.hold();
      const before = own.start([ALICE]);
      for (let round = 0; round < 2; round += 1) before.accept(diagnosisOf(own.clock.now(), [intercepted]), null);
      await expect.poll(() => own.waiting()).toBe(1);
      const limit = new AbortController();
      const stopping = before.stop(limit.signal);
      if (isAnswered) answer();
      else limit.abort(new Error('no more time'));
      await stopping;
      answer();
      await own.start([ALICE]).idle();
      expect(own.tries).toEqual([
        ...(isAnswered ? [] : ['firing tls-intercepted broken off']),
        'firing tls-intercepted sent',
      ]);
      expect(new Set(own.notifications.map(({ id }) => id)).size).toBe(1);
      expect(own.store.deliveries(10).map(({ delivery }) => delivery.attempts)).toEqual([1]);
    }
  });

  it('waits during maintenance, and tells afterwards what is still open', async () => {
    const maintenance = createMaintenance([{ cron: '0 13 24 11 *', duration: HOUR, timezone: 'UTC' }]);
    const alerting = start({ maintenance });
    expect(alerting.inMaintenance()).toBe(true);
    await bench.rounds(alerting, 10, [intercepted]);
    expect(bench.heard).toEqual([]);
    expect(alerting.incidents()).toHaveLength(1);
    await bench.pass(alerting, HOUR, HOUR);
    expect(bench.heard).toEqual(told('firing'));
  });

  it('keeps silences over a restart, and ends them by name', async () => {
    const first = start();
    const about = { cause: 'tls-intercepted', subject: null, by: 'ops', comment: '' } as const;
    const silence = first.silence({ ...about, from: START, until: START + HOUR });
    await bench.stop(first);
    const second = start();
    await bench.rounds(second, 3, [intercepted]);
    expect(bench.heard).toEqual([]);
    expect(second.silences()).toEqual([silence]);
    expect(second.unsilence('no such thing')).toBe(false);
    expect(second.unsilence(silence?.id ?? '')).toBe(true);
    await second.idle();
    expect(bench.heard).toEqual(told('firing'));
  });

  it('shows and logs what the hourly limit holds back', async () => {
    const alerting = start();
    const mails = Array.from({ length: 25 }, (_, index) =>
      causeOf('mail-unreachable', { subject: `mail-${String(index)}`, severity: 'warning' }),
    );
    for (let count = 1; count <= mails.length; count += 1) await bench.rounds(alerting, 2, mails.slice(0, count));
    const held = alerting.incidents().filter((incident) => incident.awaitsDigest).length;
    expect(held).toBeGreaterThan(0);
    expect(alerting.pending()).toMatchObject({ email: 2 * held, webhook: 0 });
    expect(bench.logger.lines.map(({ event }) => event)).toContain('notifications-limited');
  });

  it('names one site the same after a crash, which it tells once', async () => {
    await bench.rounds(bench.start([ALICE]), 2, [intercepted]);
    using crashed = alertingBench(bench.path);
    crashed.clock.advance(MINUTE);
    const second = crashed.start([ALICE]);
    await crashed.rounds(second, 3, []);
    await crashed.stop(second);
    await crashed.stop(crashed.start([ALICE]));
    const [begin = ''] = bench.notifications.map(({ id }) => id);
    expect(begin).toMatch(/^20261124T130030Z-[0-9a-f]{10}-1\.1$/u);
    const told = crashed.notifications.map(({ id }) => id);
    expect(told).toEqual([expect.stringMatching(/^restart-/u), begin.replace(/1$/u, '2')]);
  });
});

/** Returns how often each ID arrived, in order of first arrival. */
function counted(ids: readonly unknown[]): readonly number[] {
  return [...Map.groupBy(ids, (id) => id).values()].map((all) => all.length);
}

it('tells two sites with one sender and one clock under different ids, and a repeat under the same', async () => {
  const mails: string[] = [];
  // Both accept the whole message and then defer it the first time.
  await using relay = await createMailServer({
    message: ({ headers }) => {
      const id = headers.get('message-id') ?? '';
      mails.push(id);
      return mails.indexOf(id) === mails.length - 1 ? { code: 451, text: 'Greylisted' } : null;
    },
  });
  const posts: unknown[] = [];
  await using receiver = await jsonReceiver(({ body }) => {
    const id: unknown = typeof body === 'object' && body !== null && 'id' in body ? body.id : null;
    posts.push(id);
    return posts.indexOf(id) === posts.length - 1 ? 503 : 200;
  });
  const servers = [{ host: '127.0.0.1', port: relay.port, security: 'none' }];
  const sections = {
    email: { from: 'ftm-watch@example.org', to: [ALICE], servers },
    webhooks: [{ url: receiver.url }],
  };
  for (const site of ['hq', 'branch']) {
    using own = alertingBench();
    const context = { ...AT_PUBLIC_HQ, site };
    const alerting = own.start([], { channels: await channelsOf(sections, { clock: own.clock, context }) });
    await own.rounds(alerting, 4, [intercepted]);
    await own.rounds(alerting, 4, []);
    await own.stop(alerting);
  }
  // A start and an end for each site, each deferred once.
  expect([counted(mails), counted(posts)]).toEqual([
    [2, 2, 2, 2],
    [2, 2, 2, 2],
  ]);
  const events = relay.mails.map(({ headers }) => headers.get('x-ftm-watch-event'));
  expect(events).toEqual(['firing', 'resolved', 'firing', 'resolved']);
});
