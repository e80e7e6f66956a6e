import { describe, expect, it } from 'vitest';
import {
  afterLook,
  type LicenseOutcome,
  nextLook,
  observationOf,
  openLicenses,
  type RegistrationMemory,
  type RegistrationObservation,
} from '../../../../src/core/license/registration.ts';
import { HOUR } from '../../../support/time/units.ts';

const [A, B] = ['EFTM000000000001', 'EFTM000000000002'];
const KEPT_FOR = 12 * HOUR;

const registered: LicenseOutcome = { kind: 'registered', serial: 'FAC-A' };
const timeout = { kind: 'failed', reason: 'timeout', message: 'No result', durationMs: 1 } as const;
const postponed = { kind: 'postponed', until: 7 * HOUR } as const;

function told(outcomes: Readonly<Record<string, LicenseOutcome>>): RegistrationObservation {
  return { kind: 'ok', lookups: Object.entries(outcomes).map(([license, outcome]) => ({ license, outcome })) };
}

function look(
  known: RegistrationMemory,
  seen: RegistrationObservation,
  at: number,
  asked: readonly string[] = [A, B],
): RegistrationMemory {
  return afterLook(known, { wanted: [A, B], asked, seen, at }, KEPT_FOR);
}

const WELL = look(new Map(), told({ [A]: registered, [B]: { kind: 'not-listed' } }), 0);

describe('an answer from the registration service', () => {
  it.each<[string, RegistrationObservation, because: unknown]>([
    ['the question fails', told({ [A]: timeout, [B]: postponed }), timeout],
    ['the login fails', timeout, timeout],
    ['nothing may be asked', postponed, postponed],
  ])('stands with its age while %s', (_, seen, because) => {
    const observation = observationOf(look(WELL, seen, 6 * HOUR), seen);
    expect(observation).toMatchObject({
      kind: 'ok',
      lookups: [{ license: A, outcome: registered, kept: { since: 0, because } }, { license: B }],
    });
  });

  it('stands no longer than it may, even if it was kept before', () => {
    const kept = look(WELL, timeout, 12 * HOUR);
    expect(observationOf(kept, timeout)).toMatchObject({ kind: 'ok' });
    const later = look(kept, timeout, 12 * HOUR + 1);
    expect(observationOf(later, timeout)).toBe(timeout);
  });

  it('does not stand when the login is refused', () => {
    const denied = { kind: 'denied', message: 'HTTP 401 during login' } as const;
    const after = look(WELL, denied, HOUR);
    expect(observationOf(after, denied)).toBe(denied);
    expect(observationOf(look(after, timeout, HOUR), timeout)).toBe(timeout);
  });

  it('is replaced by a newer one', () => {
    const moved: LicenseOutcome = { kind: 'registered', serial: 'FAC-B' };
    const seen = told({ [A]: moved });
    expect(observationOf(look(WELL, seen, HOUR, [A]), seen)).toEqual(told({ [A]: moved, [B]: { kind: 'not-listed' } }));
  });

  it('is forgotten with its licence', () => {
    const seen = told({ [B]: registered });
    const after = afterLook(WELL, { wanted: [B], asked: [B], seen, at: HOUR }, KEPT_FOR);
    expect([...after.keys()]).toEqual([B]);
  });
});

describe('what is asked again', () => {
  it('is what has no new answer, first what was not even asked', () => {
    expect(openLicenses(WELL)).toEqual([]);
    expect(openLicenses(look(WELL, told({ [A]: timeout, [B]: postponed }), HOUR))).toEqual([B, A]);
    expect(openLicenses(look(WELL, told({ [A]: registered, [B]: timeout }), HOUR))).toEqual([B]);
  });

  it.each<[string, RegistrationMemory, blockedUntil: number, expected: number | null]>([
    ['never while all is answered', WELL, 0, null],
    ['when a call is allowed again', look(WELL, told({ [A]: timeout }), HOUR, [A]), 2 * HOUR, 2 * HOUR],
    ['when the service says that it was too often', look(WELL, postponed, HOUR), 0, 7 * HOUR],
    ['on the schedule, when a pause fixes nothing', look(WELL, told({ [A]: timeout }), HOUR, [A]), 0, null],
  ])('%s', (_, known, blockedUntil, expected) => {
    expect(nextLook(known, blockedUntil, HOUR)).toBe(expected);
  });
});
