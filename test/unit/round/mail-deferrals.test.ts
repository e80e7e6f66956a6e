import { expect, it } from 'vitest';
import type { MailOutcome } from '../../../src/core/observation.ts';
import { loadRoundMemory, type RoundMemory } from '../../../src/round/memory.ts';
import { handClock, type HandClock } from '../../support/time/hand-clock.ts';

const MINUTE = 60_000;
const DAY = 24 * 60;

const TAKEN: MailOutcome = { kind: 'accepted', durationMs: 9, slowestMs: 9, greeting: '220 hello' };
const FAILED = { kind: 'failed', message: 'as it is', durationMs: 9, tlsError: null } as const;
const PUT_OFF: MailOutcome = { ...FAILED, stage: 'recipient', reason: 'rejected', code: 450 };
const AT_SENDER: MailOutcome = { ...PUT_OFF, stage: 'sender', code: 451 };
const AT_LOGIN: MailOutcome = { ...PUT_OFF, stage: 'login', code: 454 };
const REFUSED: MailOutcome = { ...PUT_OFF, code: 550 };
const LOST: MailOutcome = { ...FAILED, stage: 'connect', reason: 'timeout', code: null };

async function deferralsWith(clock: HandClock): Promise<RoundMemory['deferrals']> {
  return (await loadRoundMemory('license.test:443', {}, clock)).deferrals;
}

type Look = readonly [minute: number, outcome: MailOutcome];

it.each<[string, readonly Look[], readonly (number | null)[]]>([
  ['nothing of a server that takes at once', [[0, TAKEN]], [null]],
  [
    'nothing of one that refuses for good, or is lost',
    [
      [0, REFUSED],
      [5, LOST],
      [9, AT_LOGIN],
    ],
    [null, null, null],
  ],
  [
    'how long it goes on',
    [
      [0, PUT_OFF],
      [3, AT_SENDER],
      [70, PUT_OFF],
    ],
    [0, 3, 70],
  ],
  [
    'how long it was, for a day',
    [
      [0, PUT_OFF],
      [20, TAKEN],
      [25, TAKEN],
      [21 + DAY, TAKEN],
    ],
    [0, 20, 20, null],
  ],
  [
    'how long it was, while it is lost',
    [
      [0, PUT_OFF],
      [20, TAKEN],
      [25, LOST],
    ],
    [0, 20, 20],
  ],
  [
    'nothing where it was lost before it took',
    [
      [0, PUT_OFF],
      [20, LOST],
      [25, TAKEN],
    ],
    [0, null, null],
  ],
  [
    'the second time by itself',
    [
      [0, PUT_OFF],
      [20, TAKEN],
      [90, PUT_OFF],
      [95, PUT_OFF],
    ],
    [0, 20, 0, 5],
  ],
])('tells %s', async (_, looks, expected) => {
  const clock = handClock(0);
  const deferrals = await deferralsWith(clock);
  const told = looks.map(([minute, outcome]) => {
    clock.step(minute * MINUTE - clock.now());
    const lasted = deferrals.note('mail.test:25', outcome);
    return lasted === null ? null : lasted / MINUTE;
  });
  expect(told).toEqual(expected);
});

it('tells servers apart', async () => {
  const clock = handClock(0);
  const deferrals = await deferralsWith(clock);
  deferrals.note('a:25', PUT_OFF);
  clock.advance(MINUTE);
  expect(deferrals.note('b:25', PUT_OFF)).toBe(0);
});
