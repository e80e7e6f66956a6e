import { describe, expect, it } from 'vitest';
import {
  activationContextOf,
  holdsTokensOf,
  licensesOf,
  type ApplianceObservation,
} from '../../../../src/core/license/appliance.ts';
import { firmwareVersion } from '../../../../src/core/license/firmware.ts';
import { tokens } from '../../../support/checks/judged-tokens.ts';
import { applianceFacts } from '../../../support/checks/appliance-facts.ts';

const denied: ApplianceObservation = { kind: 'denied', appliance: 'fac-2', endpoint: '10.0.0.6:443', status: 401 };

function firmware(text: string | null): ApplianceObservation {
  return applianceFacts({ system: { firmware: text } });
}

/** Returns a unit with tokens by licence. Those under `''` have none. */
function holding({ '': withoutLicense = 0, ...named }: Readonly<Record<string, number>>): ApplianceObservation {
  const byLicense = Object.entries(named).map(([license, count]) => ({ license, tokens: count }));
  const total = byLicense.reduce((sum, { tokens: count }) => sum + count, withoutLicense);
  return applianceFacts({ tokens: tokens(total, 0, { byLicense, withoutLicense }) });
}

/** Returns a unit whose tokens cannot be read, but whose token count can. */
function licensed(total: number): ApplianceObservation {
  return applianceFacts({
    tokens: { kind: 'absent' },
    licensed: { kind: 'read', value: { total, used: 0, available: total } },
  });
}

describe('activationContextOf', () => {
  it.each<[string, readonly ApplianceObservation[], boolean | null, boolean | null]>([
    ['no appliance', [], null, null],
    ['one that refuses', [denied], null, null],
    ['tokens licensed', [licensed(32)], true, true],
    ['no more tokens than those for trial', [licensed(2)], false, true],
    ['tokens of a licence', [holding({ EFTM000000000001: 5, FTMTRIAL00000001: 2 })], true, true],
    ['tokens for trial alone', [holding({ FTMTRIAL00000001: 2 })], false, true],
    ['as few that name no licence', [holding({ '': 2 })], false, true],
    ['more that name no licence', [holding({ '': 5 })], true, true],
    ['no token', [holding({})], false, true],
    ['nothing licensed', [licensed(0)], false, true],
    ['one of two licensed', [licensed(0), licensed(32)], true, true],
    ['one of two answers', [denied, licensed(0)], false, true],
    ['6.6.0', [firmware('FACVM v6.6.0, build1500 (GA)')], true, false],
    ['6.6.1', [firmware('FACVM v6.6.1, build1660 (GA)')], true, true],
    ['6.5.9', [firmware('v6.5.9')], true, false],
    ['6.10', [firmware('v6.10')], true, true],
    ['old and new', [firmware('v6.4.1'), firmware('v8.0.0')], true, false],
    ['unreadable firmware', [firmware('none')], true, null],
    ['no firmware', [firmware(null)], true, null],
  ])('%s', (_, observations, licenseActive, offlineSupported) => {
    const units = observations.map((rest) => ({ rest, role: null }));
    expect(activationContextOf(units)).toEqual({ licenseActive, offlineSupported });
  });

  it.each<[string, ApplianceObservation | null, string | null, boolean | null]>([
    ['the REST API is not asked', null, 'v6.6.1-build1660', true],
    ['the REST API refuses', denied, 'v5.5.0-build0366', false],
    ['the REST API tells it', firmware('v6.5.9'), 'v6.6.1', false],
    ['nobody tells it', null, null, null],
  ])('takes the firmware that SNMP tells, where %s', (_, rest, told, offlineSupported) => {
    const role = {
      kind: 'ok',
      appliance: 'fac-1',
      role: 'disabled',
      serial: null,
      firmware: told,
    } as const;
    expect(activationContextOf([{ rest, role }])).toMatchObject({ offlineSupported });
  });

  it('takes the count of systeminfo when nothing else can be read', () => {
    const absent = { licensed: { kind: 'absent' }, tokens: { kind: 'absent' } } as const;
    const active = (tokensPopulated: number | null): boolean | null => {
      const rest = applianceFacts({ ...absent, system: { tokensPopulated } });
      return activationContextOf([{ rest, role: null }]).licenseActive;
    };
    expect([active(0), active(null)]).toEqual([false, null]);
  });
});

describe('holdsTokensOf', () => {
  const LICENSE = 'EFTM000000000001';

  it.each<[string, ApplianceObservation | null, boolean | null]>([
    ['no appliance', null, null],
    ['one that refuses', denied, null],
    ['tokens of it', holding({ eftm000000000001: 5 }), true],
    ['tokens of another and those for trial', holding({ EFTM000000000002: 5, FTMTRIAL00000001: 2 }), false],
    ['those for trial alone', holding({ FTMTRIAL00000001: 2 }), false],
    ['tokens that do not name theirs', holding({ '': 50 }), null],
    ['tokens that cannot be read', licensed(32), null],
    ['no more than those for trial, which cannot be read', licensed(2), false],
  ])('%s', (_, observation, expected) => {
    expect(holdsTokensOf(observation, LICENSE)).toBe(expected);
  });
});

describe('licensesOf', () => {
  const holds = holding({ EFTM000000000002: 1, FTMTRIAL00000001: 2 });

  it.each<[string, readonly string[], ApplianceObservation | null, readonly string[]]>([
    [
      'joins the configured licences and those of the tokens, each once, trials left out',
      ['eftm000000000001', 'EFTM000000000002'],
      holds,
      ['EFTM000000000001', 'EFTM000000000002'],
    ],
    ['has the configured ones while the appliance does not answer', ['EFTM000000000001'], null, ['EFTM000000000001']],
  ])('%s', (_, configured, seen, expected) => {
    expect(licensesOf(configured, seen)).toEqual(expected);
  });
});

describe('firmwareVersion', () => {
  it('reads the version out of a banner', () => {
    expect(firmwareVersion('FACVMKVM v8.0.3, build0099 (GA)')).toEqual([8, 0, 3]);
  });
});
