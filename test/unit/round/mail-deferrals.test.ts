import { expect, it } from 'vitest';
import type { MailOutcome } from '../../../src/core/observation.ts';
import { loadRoundMemory, type RoundMemory } from '../../../src/round/memory.ts';
import { handClock, type HandClock } from '../../support/time/hand-clock.ts';
import { MINUTE } from '../../support/time/units.ts';

const FAILED = { kind: 'failed', message: 'as it is', durationMs: 9, tlsError: null } as const;
const PUT_OFF: MailOutcome = { ...FAILED, stage: 'recipient', reason: 'rejected', code: 450 };
const OUTCOMES: Readonly<Record<string, MailOutcome>> = {
  taken: { kind: 'accepted', durationMs: 9, slowestMs: 9, greeting: '220 hello' },
  'put off': PUT_OFF,
  'put off at the sender': { ...PUT_OFF, stage: 'sender', code: 451 },
  'put off at the login': { ...PUT_OFF, stage: 'login', code: 454 },
  refused: { ...PUT_OFF, code: 550 },
  lost: { ...FAILED, stage: 'connect', reason: 'timeout', code: null },
};

async function deferralsWith(clock: HandClock): Promise<RoundMemory['deferrals']> {
  return (await loadRoundMemory('license.test:443', {}, clock)).deferrals;
}

/** Each look has a minute and an outcome. */
it.each([
  ['nothing of a server that takes at once', '0 taken', [null]],
  ['nothing of one that refuses for good, or is lost', '0 refused, 5 lost, 9 put off at the login', [null, null, null]],
  ['how long it goes on', '0 put off, 3 put off at the sender, 70 put off', [0, 3, 70]],
  ['how long it was, for a day', '0 put off, 20 taken, 25 taken, 1461 taken', [0, 20, 20, null]],
  ['how long it was, while it is lost', '0 put off, 20 taken, 25 lost', [0, 20, 20]],
  ['nothing where it was lost before it took', '0 put off, 20 lost, 25 taken', [0, null, null]],
  ['the second time by itself', '0 put off, 20 taken, 90 put off, 95 put off', [0, 20, 0, 5]],
])('tells %s', async (_, looks, expected) => {
  const clock = handClock(0);
  const deferrals = await deferralsWith(clock);
  const told = looks.split(', ').map((look) => {
    const [, minute = '', name = ''] = /^(\d+) (.*)$/u.exec(look) ?? [];
    const outcome = OUTCOMES[name];
    if (outcome === undefined) throw new Error(`No outcome "${name}"`);
    clock.step(Number(minute) * MINUTE - clock.now());
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
