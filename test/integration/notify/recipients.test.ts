import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Cause } from '../../../src/engine/model.ts';
import type { Alerting } from '../../../src/notify/alerting.ts';
import { alertingBench, liveRounds, type AlertingBench } from '../../support/notify/alerting-bench.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { HOUR, MINUTE, SECOND } from '../../support/store/incident-timeline.ts';

const ALICE = 'alice@example.org';
const BOB = 'bob@example.org';
const intercepted = causeOf('tls-intercepted');
const mail = causeOf('mail-unreachable', { severity: 'warning' });

let bench: AlertingBench;

beforeEach(() => {
  bench = alertingBench();
});

afterEach(() => {
  bench[Symbol.dispose]();
});

const rounds = (alerting: Alerting, count: number, causes: readonly Cause[]): Promise<void> =>
  liveRounds(alerting, bench.clock, count, causes);

/** Advances the clock while `alerting` works. */
async function pass(alerting: Alerting, time: number): Promise<void> {
  for (let rest = time; rest > 0; rest -= 10 * SECOND) {
    bench.clock.advance(Math.min(rest, 10 * SECOND));
    await alerting.idle();
  }
}

describe('a channel that reports no outcome for a recipient', () => {
  it('is tried again later, and the other recipients get theirs', async () => {
    bench.answer((_, recipient) => {
      if (bench.tries.length > 10) throw new Error('Tried again and again without a pause');
      return recipient === BOB ? null : 'sent';
    });
    const alerting = bench.start([ALICE, BOB]);
    await rounds(alerting, 2, [intercepted]);
    // The second attempt comes after the usual pause, within the 30 s of a round.
    expect(bench.tries).toEqual([
      'firing tls-intercepted sent',
      'firing tls-intercepted unknown',
      'firing tls-intercepted unknown',
    ]);
    expect(bench.store.deliveries(10).map(({ delivery }) => [delivery.recipient, delivery.status])).toEqual(
      expect.arrayContaining([
        [ALICE, 'sent'],
        [BOB, 'pending'],
      ]),
    );
    bench.answer(() => 'sent');
    await pass(alerting, MINUTE);
    expect(bench.tries.slice(3)).toEqual(['firing tls-intercepted sent']);
  });
});

describe('a recipient that wants critical ones alone', () => {
  it('hears of nothing else, and nothing else waits for it', async () => {
    const alerting = bench.start([ALICE], 'critical');
    await rounds(alerting, 3, [mail, intercepted]);
    await rounds(alerting, 5, []);
    expect(bench.tries).toEqual(['firing tls-intercepted sent', 'resolved tls-intercepted sent']);
    expect(bench.store.deliveries(10)).toHaveLength(2);
  });

  it('is not counted where the hourly limit holds warnings back', async () => {
    const alerting = bench.start([ALICE], 'critical');
    const mails = Array.from({ length: 25 }, (_, index) => ({ ...mail, subject: `mail-${String(index)}` }));
    for (let count = 1; count <= mails.length; count += 1) await rounds(alerting, 2, mails.slice(0, count));
    expect(alerting.incidents().some(({ awaitsDigest }) => awaitsDigest)).toBe(true);
    expect(alerting.pending()).toMatchObject({ email: 0 });
  });

  it('hears the end of what it heard the beginning of, also when less is wanted meanwhile', async () => {
    bench.answer(() => 'deferred');
    const before = bench.start([ALICE], 'warning');
    await rounds(before, 3, [mail]);
    await before.stop(new AbortController().signal);
    bench.answer(() => 'sent');
    const after = bench.start([ALICE], 'critical');
    await pass(after, 6 * MINUTE);
    expect(bench.tries.at(-1)).toBe('firing mail-unreachable sent');
  });
});

describe('a recipient that asks for a pause', () => {
  it('is sent nothing until it is over, whatever happens meanwhile, then everything once', async () => {
    let limited = true;
    bench.answer(() => (limited ? { kind: 'deferred', retryAfter: 4 * MINUTE } : 'sent'));
    const alerting = bench.start([ALICE]);
    await rounds(alerting, 2, [intercepted]);
    await rounds(alerting, 3, [intercepted, mail]);
    expect(bench.tries).toEqual(['firing tls-intercepted deferred']);
    limited = false;
    await pass(alerting, 2 * MINUTE - 10 * SECOND);
    expect(bench.tries).toHaveLength(1);
    await pass(alerting, 40 * SECOND);
    expect(bench.tries.slice(1).toSorted()).toEqual(['firing mail-unreachable sent', 'firing tls-intercepted sent']);
    await pass(alerting, HOUR);
    expect(bench.tries).toHaveLength(3);
    expect(alerting.pending()).toMatchObject({ email: 0 });
  });

  it('is asked again after a quarter of an hour, however long the pause, and after a restart at once', async () => {
    bench.answer(() => ({ kind: 'deferred', retryAfter: 24 * HOUR }));
    const alerting = bench.start([ALICE]);
    await rounds(alerting, 2, [intercepted]);
    await pass(alerting, 14 * MINUTE);
    expect(bench.tries).toHaveLength(1);
    await pass(alerting, MINUTE);
    expect(bench.tries).toHaveLength(2);
    await alerting.stop(new AbortController().signal);
    bench.answer(() => 'sent');
    await pass(bench.start([ALICE]), 10 * SECOND);
    expect(bench.tries.at(-1)).toBe('firing tls-intercepted sent');
  });

  it('does not make the others wait, and is not put off by a wall clock that is set back', async () => {
    const told: string[] = [];
    bench.answer((_, recipient) => {
      told.push(recipient);
      return recipient === ALICE && told.length < 3 ? { kind: 'deferred', retryAfter: MINUTE } : 'sent';
    });
    const alerting = bench.start([ALICE, BOB]);
    await rounds(alerting, 2, [intercepted]);
    expect(told).toEqual([ALICE, BOB]);
    bench.clock.step(-6 * HOUR);
    await pass(alerting, 20 * SECOND);
    expect(told).toHaveLength(2);
    await pass(alerting, 20 * SECOND);
    expect(told).toEqual([ALICE, BOB, ALICE]);
  });
});
