import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PLAIN_DEPS, PLAIN_PARTS } from '../../support/notify/plain-alerting.ts';
import type { Cause } from '../../../src/engine/model.ts';
import { eventOf } from '../../../src/engine/incident/incident.ts';
import type { MessageChannel, RecipientOutcome, DeliveryRequest } from '../../../src/notify/channels/channel.ts';
import type { ChannelId } from '../../../src/notify/channels/registry.ts';
import { Alerting } from '../../../src/notify/alerting.ts';
import { createMaintenance, type Maintenance } from '../../../src/notify/maintenance.ts';
import { createStore, type Store } from '../../../src/store/store.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { handClock, type HandClock } from '../../support/time/hand-clock.ts';
import { HOUR, MINUTE, SECOND, START } from '../../support/store/incident-timeline.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';

const ALICE = 'alice@example.org';
const BOB = 'bob@example.org';
const intercepted = causeOf('tls-intercepted');

let folder: string;
let clock: HandClock;
let store: Store;
let log: string[];
let answers: Map<string, RecipientOutcome['kind']>;
let lateness: (number | null)[];
let results: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ftm-watch-engine-'));
  clock = handClock(START);
  store = createStore(
    { path: join(folder, 'history.sqlite'), retention: 90 * 24 * HOUR },
    { clock, logger: logRecorder() },
  );
  log = [];
  answers = new Map();
  lateness = [];
  results = [];
});

afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A channel whose peer replies with the entry in `answers` for the recipient. */
function channel(id: ChannelId, recipients: readonly string[]): MessageChannel {
  return {
    kind: 'messages',
    id,
    recipients,
    minSeverity: 'warning',
    deliver: ({ notification, recipients: whom, firstFailedAt }: DeliveryRequest) => {
      lateness.push(firstFailedAt);
      return Promise.resolve(
        whom.map((recipient): RecipientOutcome => {
          const kind = answers.get(recipient) ?? 'sent';
          log.push(`${eventOf(notification)} ${recipient} ${kind}`);
          return { recipient, kind, detail: '' };
        }),
      );
    },
  };
}

function noteTransition(fields: object): void {
  if ('transition' in fields && 'cause' in fields) results.push(`${String(fields.transition)} ${String(fields.cause)}`);
}

function engine(
  more: {
    readonly channels?: readonly MessageChannel[];
    readonly windows?: Parameters<typeof createMaintenance>[0];
    readonly maintenance?: Pick<Maintenance, 'isActive'>;
  } = {},
): Alerting {
  const alerting = new Alerting(
    {
      channels: more.channels ?? [channel('email', [ALICE, BOB])],
      maintenance: more.maintenance ?? createMaintenance(more.windows ?? []),
      ...PLAIN_PARTS,
    },
    {
      clock,
      logger: { ...logRecorder(), info: noteTransition },
      journal: store.journal,
      ...PLAIN_DEPS,
      onDelivery: (id, result) => results.push(`${id} ${result}`),
    },
  );
  alerting.start();
  return alerting;
}

async function rounds(alerting: Alerting, count: number, causes: readonly Cause[]): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    alerting.accept(diagnosisOf(clock.now(), causes), null);
    await alerting.idle();
    clock.advance(30 * SECOND);
    await alerting.idle();
  }
}

describe('Alerting', () => {
  it('tells everybody once that it began and once that it ended', async () => {
    const alerting = engine();
    await rounds(alerting, 5, [intercepted]);
    await rounds(alerting, 5, []);
    expect(log).toEqual([
      `firing ${ALICE} sent`,
      `firing ${BOB} sent`,
      `resolved ${ALICE} sent`,
      `resolved ${BOB} sent`,
    ]);
    expect(results).toEqual([
      'opened tls-intercepted',
      'email sent',
      'email sent',
      'closed tls-intercepted',
      'email sent',
      'email sent',
    ]);
    await alerting.stop(new AbortController().signal);
    expect(clock.timers()).toBe(0);
  });

  it('goes on after a restart in the middle of an incident, and of its confirmation', async () => {
    const first = engine();
    await rounds(first, 1, [intercepted]);
    await first.stop(new AbortController().signal);
    const second = engine();
    await rounds(second, 1, [intercepted]);
    await second.stop(new AbortController().signal);
    const third = engine();
    await rounds(third, 3, [intercepted]);
    await rounds(third, 2, []);
    expect(log).toEqual([
      `firing ${ALICE} sent`,
      `firing ${BOB} sent`,
      `resolved ${ALICE} sent`,
      `resolved ${BOB} sent`,
    ]);
    expect(third.incidents()).toHaveLength(1);
  });

  it('says whether it goes on by itself', async () => {
    const alerting = engine();
    clock.advance(HOUR);
    expect(alerting.isWorking()).toBe(true);
    await alerting.stop(new AbortController().signal);
    expect(alerting.isWorking()).toBe(false);

    let broken = false;
    const isActive = (): boolean => {
      if (broken) throw new Error('a bug');
      return false;
    };
    const wedged = engine({ maintenance: { isActive } });
    broken = true;
    for (let tick = 0; tick < 2; tick += 1) expect(() => clock.advance(15 * SECOND)).toThrow('a bug');
    expect(wedged.isWorking()).toBe(false);
    broken = false;
    clock.advance(15 * SECOND);
    expect(wedged.isWorking()).toBe(true);
  });

  it('wakes every 15 seconds, but every two while a delivery may have to be repeated', async () => {
    let ticks = 0;
    const isActive = (): boolean => {
      ticks += 1;
      return false;
    };
    const ticksIn = async (time: number): Promise<number> => {
      await alerting.idle();
      const before = ticks;
      clock.advance(time);
      await alerting.idle();
      return ticks - before;
    };
    const alerting = engine({ channels: [channel('email', [ALICE])], maintenance: { isActive } });
    expect(await ticksIn(HOUR)).toBe(240);
    answers.set(ALICE, 'deferred');
    await rounds(alerting, 2, [intercepted]);
    expect(await ticksIn(MINUTE)).toBe(30);
    answers.clear();
    await ticksIn(5 * MINUTE);
    expect(log.at(-1)).toBe(`firing ${ALICE} sent`);
    // The incident is still open, which needs reminders only.
    await ticksIn(MINUTE);
    expect(await ticksIn(HOUR)).toBe(240);
  });

  it('tries again with growing delays, and says since when', async () => {
    const alerting = engine({ channels: [channel('email', [ALICE])] });
    answers.set(ALICE, 'deferred');
    await rounds(alerting, 2, [intercepted]);
    const began = log.length;
    for (let second = 0; second < 600; second += 1) {
      clock.advance(SECOND);
      await alerting.idle();
    }
    expect(log.length - began).toBeLessThan(8);
    expect(alerting.pending()).toMatchObject({ email: 1, webhook: 0, alertmanager: 0 });
    answers.clear();
    clock.advance(5 * MINUTE);
    await alerting.idle();
    expect(log.at(-1)).toBe(`firing ${ALICE} sent`);
    expect(lateness.slice(0, 2)).toEqual([null, START + 30 * SECOND]);
    expect(alerting.pending().email).toBe(0);
  });

  it('keeps the order for each recipient, and holds nobody up for another', async () => {
    const alerting = engine();
    answers.set(ALICE, 'deferred');
    await rounds(alerting, 2, [intercepted]);
    await rounds(alerting, 2, []);
    expect(log.filter((line) => line.includes(BOB))).toEqual([`firing ${BOB} sent`, `resolved ${BOB} sent`]);
    expect(log.some((line) => line.startsWith(`resolved ${ALICE}`))).toBe(false);
    answers.clear();
    for (let step = 0; step < 10; step += 1) {
      clock.advance(MINUTE);
      await alerting.idle();
    }
    expect(log.filter((line) => line.endsWith(`${ALICE} sent`))).toEqual([
      `firing ${ALICE} sent`,
      `resolved ${ALICE} sent`,
    ]);
  });

  it('forgets recipients that are no longer configured', async () => {
    answers.set(ALICE, 'deferred');
    const before = engine();
    await rounds(before, 2, [intercepted]);
    await before.stop(new AbortController().signal);
    const after = engine({ channels: [channel('email', [BOB])] });
    await after.idle();
    expect(after.pending().email).toBe(0);
    expect(store.deliveries(10).find(({ delivery }) => delivery.recipient === ALICE)?.delivery).toMatchObject({
      status: 'withdrawn',
      detail: 'The recipient is no longer configured',
    });
  });

  it('does not let one channel wait for another, nor a broken one break the rest', async () => {
    const hanging: MessageChannel = {
      ...channel('webhook', ['http://a']),
      deliver: () => new Promise(() => undefined),
    };
    const throwing: MessageChannel = {
      ...channel('webhook', ['http://b']),
      deliver: () => Promise.reject(new Error('bug')),
    };
    const alerting = engine({ channels: [hanging, throwing, channel('email', [ALICE])] });
    for (let index = 0; index < 2; index += 1) alerting.accept(diagnosisOf(clock.now(), [intercepted]), null);
    await expect.poll(() => log).toEqual([`firing ${ALICE} sent`]);
    await expect.poll(() => results).toContain('webhook failed');
    expect(alerting.pending()).toMatchObject({ email: 0, webhook: 2 });
    const stopping = alerting.stop(AbortSignal.abort(new Error('now')));
    await expect(Promise.race([stopping.then(() => 'stopped'), Promise.resolve('waits')])).resolves.toBe('waits');
  });

  it('waits during maintenance, and tells afterwards what is still open', async () => {
    const alerting = engine({ windows: [{ cron: '0 13 24 11 *', duration: HOUR, timezone: 'UTC' }] });
    expect(alerting.inMaintenance()).toBe(true);
    await rounds(alerting, 10, [intercepted]);
    expect(log).toEqual([]);
    expect(alerting.incidents()).toHaveLength(1);
    clock.advance(HOUR);
    await alerting.idle();
    expect(log).toEqual([`firing ${ALICE} sent`, `firing ${BOB} sent`]);
  });

  it('keeps silences over a restart, and ends them by name', async () => {
    const first = engine();
    const silence = first.silence({
      cause: 'tls-intercepted',
      subject: null,
      from: START,
      until: START + HOUR,
      by: 'ops',
      comment: '',
    });
    await first.stop(new AbortController().signal);
    const second = engine();
    await rounds(second, 3, [intercepted]);
    expect(log).toEqual([]);
    expect(second.silences()).toEqual([silence]);
    expect(second.unsilence('no such thing')).toBe(false);
    expect(second.unsilence(silence?.id ?? '')).toBe(true);
    await second.idle();
    expect(log).toEqual([`firing ${ALICE} sent`, `firing ${BOB} sent`]);
  });
});
