import { describe, expect, it } from 'vitest';
import type { ApplianceObservation } from '../../../../src/core/license/appliance.ts';
import type { LicenseOutcome, RegistrationObservation } from '../../../../src/core/license/registration.ts';
import { diagnose } from '../../../../src/engine/diagnose.ts';
import type { UnitObservation } from '../../../../src/connectors/picture.ts';
import { applianceFacts } from '../../../support/checks/appliance-facts.ts';
import { configOf } from '../../../support/config/config-of.ts';
import { CONTEXT, finding, judgedRound, type Special } from '../../../support/checks/judged-round.ts';
import { held, judgeUnits, LICENSE, TRIAL_ONLY } from '../../../support/checks/license-bench.ts';

function judgeRedeemBy(units: readonly UnitObservation[], registration: RegistrationObservation | null, now: number) {
  return judgeUnits(units, registration, now).filter(({ rule }) => rule === 'license-redeemed-in-time');
}

const API = 'api: { url: "https://10.0.0.5", user: monitor, keyEnv: SET_SECRET }';
const TRIALS = applianceFacts({ tokens: TRIAL_ONLY });
const SILENT: ApplianceObservation = {
  kind: 'failed',
  reason: 'timeout',
  message: 'no answer',
  durationMs: 1,
  appliance: 'fac-1',
  endpoint: '10.0.0.5:443',
};

async function unitWith(rest: ApplianceObservation | null, api = API): Promise<UnitObservation> {
  const certificate = `{ license: ${LICENSE}, redeemBy: 2027-03-31 }`;
  const unit = ['name: fac-1', `certificates: [${certificate}]`, ...(api === '' ? [] : [api])].join(', ');
  const [config] = (await configOf(`appliances: [{ ${unit} }]`)).appliances;
  if (config === undefined) throw new Error('expected a unit');
  return { config, rest, role: null };
}

function registered(outcome: LicenseOutcome): RegistrationObservation {
  return { kind: 'ok', lookups: [{ license: LICENSE.toLowerCase(), outcome }] };
}

const PENDING: LicenseOutcome = { kind: 'unregistered', status: 'Pending' };
const at = (text: string): number => Date.parse(text);
const SOON = at('2027-03-30T12:00:00Z');

describe('a licence whose certificate expires on 2027-03-31', () => {
  it.each([
    ['2026-12-31T23:59:59Z', null],
    ['2027-01-01T00:00:00Z', 'license-expires-in-90-days'],
    ['2027-03-01T23:59:59Z', 'license-expires-in-90-days'],
    ['2027-03-02T00:00:00Z', 'license-expires-in-30-days'],
    ['2027-03-24T23:59:59Z', 'license-expires-in-30-days'],
    ['2027-03-25T00:00:00Z', 'license-expires-in-7-days'],
    ['2027-03-31T23:59:59Z', 'license-expires-in-7-days'],
    ['2027-04-01T00:00:00Z', 'license-expired'],
  ])('at %s', async (now, cause) => {
    const found = judgeRedeemBy([await unitWith(TRIALS)], null, at(now));
    const facts = { license: LICENSE, date: '2027-03-31' };
    expect(found.map(({ level, suggests, facts: told }) => [level, suggests, told])).toEqual(
      cause === null ? [] : [['warning', cause, facts]],
    );
  });

  it.each<[string, [rest: ApplianceObservation | null, api?: string], RegistrationObservation | null, string | null]>([
    ['the unit has no tokens of it', [TRIALS], null, 'confirmed'],
    ['the unit has tokens of it', [applianceFacts()], null, null],
    ['nobody has asked the unit yet', [null], null, null],
    ['the unit does not answer', [SILENT], null, null],
    ['its tokens are not told', [applianceFacts({ tokens: { kind: 'absent' } })], null, null],
    ['no API is configured', [null, ''], null, 'suspected'],
    ['no API is configured, and it is registered', [null, ''], registered(held('FAC-A')), null],
    ['no API is configured, and it is not listed', [null, ''], registered({ kind: 'not-listed' }), 'suspected'],
    ['the unit has no tokens of it, and it is registered', [TRIALS], registered(held('FAC-A')), 'suspected'],
    ['the unit has no tokens of it, and it is pending', [TRIALS], registered(PENDING), 'confirmed'],
  ])('where %s', async (_, unit, registration, expected) => {
    const found = judgeRedeemBy([await unitWith(...unit)], registration, SOON);
    expect(found.map(({ confidence }) => confidence)).toEqual(expected === null ? [] : [expected]);
  });

  it('is not told where the certificate has no date', async () => {
    const unit = await unitWith(TRIALS);
    const certificates = unit.config.certificates.map((one) => ({ ...one, redeemBy: null }));
    expect(judgeRedeemBy([{ ...unit, config: { ...unit.config, certificates } }], null, SOON)).toEqual([]);
  });

  it('is redeemed where another unit has its tokens, and told once where two name it', async () => {
    const [here, there] = [await unitWith(TRIALS), await unitWith(applianceFacts())];
    expect(judgeRedeemBy([here, there], null, SOON)).toEqual([]);
    expect(judgeRedeemBy([here, here], null, SOON)).toHaveLength(1);
  });

  const BROKEN: Special = ['tls-genuine', [finding('tls-intercepted')]];
  const UNKNOWN: Special = ['tls-genuine', [finding(null, { level: 'unknown' })]];

  it.each<[string, readonly Special[], rest: ApplianceObservation | null, severity: string]>([
    ['clean', [], TRIALS, 'warning'],
    ['broken', [BROKEN], TRIALS, 'critical'],
    ['broken, but nobody asks the unit, so it is only suspected', [BROKEN], null, 'warning'],
    ['unknown', [UNKNOWN], TRIALS, 'warning'],
  ])('while the path is %s', async (_, path, rest, severity) => {
    const found = judgeRedeemBy([await unitWith(rest, rest === null ? '' : API)], null, SOON);
    const { causes } = diagnose(judgedRound(['license-assignment', found], ...path), CONTEXT);
    expect(causes.find(({ id }) => id === 'license-expires-in-7-days')?.severity).toBe(severity);
  });

  it.each([
    ['2027-01-01T00:00:00Z', 'warning'],
    ['2027-03-02T00:00:00Z', 'warning'],
    ['2027-03-24T23:59:59Z', 'warning'],
    ['2027-03-25T00:00:00Z', 'critical'],
  ])('is critical together with a broken path only in the last days: at %s, it is a %s', async (now, severity) => {
    const found = judgeRedeemBy([await unitWith(TRIALS)], null, at(now));
    const { causes } = diagnose(judgedRound(['license-assignment', found], BROKEN), CONTEXT);
    expect(causes.map(({ id }) => id)).toEqual(['tls-intercepted', found[0]?.suggests]);
    expect(causes[1]?.severity).toBe(severity);
  });
});
