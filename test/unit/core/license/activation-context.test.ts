import { describe, expect, it } from 'vitest';
import { activationContextOf, firmwareVersion } from '../../../../src/core/license/activation-context.ts';
import type { ApplianceObservation } from '../../../../src/core/license/appliance.ts';
import { applianceFacts } from '../../../support/appliance-facts.ts';

const denied: ApplianceObservation = { kind: 'denied', appliance: 'fac-2', endpoint: '10.0.0.6:443', status: 401 };

function firmware(text: string | null): ApplianceObservation {
  return applianceFacts({ system: { firmware: text } });
}

function licensed(total: number): ApplianceObservation {
  return applianceFacts({ licensed: { kind: 'read', value: { total, used: 0, available: total } } });
}

describe('activationContextOf', () => {
  it.each<[string, readonly ApplianceObservation[], boolean | null, boolean | null]>([
    ['no appliance', [], null, null],
    ['one that refuses', [denied], null, null],
    ['tokens licensed', [licensed(32)], true, true],
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
  ])('%s', (_, observations, licenseActive, offlineActivation) => {
    expect(activationContextOf(observations)).toEqual({ licenseActive, offlineActivation });
  });

  it('takes the count of systeminfo when nothing else can be read', () => {
    const absent = { licensed: { kind: 'absent' }, tokens: { kind: 'absent' } } as const;
    expect(activationContextOf([applianceFacts({ ...absent, system: { tokensPopulated: 0 } })]).licenseActive).toBe(false);
    expect(activationContextOf([applianceFacts({ ...absent, system: { tokensPopulated: null } })]).licenseActive).toBe(null);
  });
});

describe('firmwareVersion', () => {
  it('reads the version out of a banner', () => {
    expect(firmwareVersion('FACVMKVM v8.0.3, build0099 (GA)')).toEqual([8, 0, 3]);
  });
});
