import { describe, expect, it } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import type { ApplianceFacts } from '../../../src/core/license/appliance.ts';
import type { LicenseLookup, RegistrationObservation } from '../../../src/core/license/registration.ts';
import { appliance } from '../../../src/checks/appliance/judge.ts';
import type { Judgement } from '../../../src/checks/check.ts';
import { licenseAssignment } from '../../../src/checks/license-assignment/judge.ts';
import { applianceFacts } from '../../support/checks/appliance-facts.ts';
import { factsOf } from '../../support/checks/facts.ts';
import { configOf } from '../../support/config/config-of.ts';
import { held, LICENSE, role } from '../../support/checks/license-bench.ts';
import { picture } from '../../support/checks/observed.ts';

/** As described in the manual: each cluster member is an item, and the licence is listed under one of them. */
const PAIR = `
appliances:
  - { name: fac-1, serial: FAC-A, peerSerial: FAC-B, licenses: [${LICENSE}] }
  - { name: fac-2, serial: FAC-B, peerSerial: FAC-A }
registration: { user: api, passwordEnv: SET_SECRET }
`;

function member(appliance: string, serial: string, peerSerial: string): ApplianceFacts {
  return applianceFacts({ appliance, system: { serial, peerSerial } });
}

function assignment(config: Config, lookup: LicenseLookup): Judgement {
  const seen = [member('fac-1', 'FAC-A', 'FAC-B'), member('fac-2', 'FAC-B', 'FAC-A')];
  const units = config.appliances.map((appliance, index) => ({
    config: appliance,
    rest: seen[index] ?? null,
    role: null,
  }));
  const known = picture({ appliances: units, registration: { kind: 'ok', lookups: [lookup] } });
  return licenseAssignment.judge(factsOf({ config, picture: known }));
}

describe('the licence of a pair whose members are both configured', () => {
  it.each([
    ['FAC-A', []],
    ['FAC-X', ['license-on-other-unit', 'license-on-other-unit']],
  ])('is judged for both, on %s', async (holder, expected) => {
    const assessment = assignment(await configOf(PAIR), { license: LICENSE, outcome: held(holder) });
    expect(assessment.kind).toBe('judged');
    expect(assessment.findings.map(({ suggests }) => suggests)).toEqual(expected);
  });

  it('is fine with the age of the answer, where there is no newer one', async () => {
    const since = Date.UTC(2026, 10, 24, 13);
    const kept = { since, because: { kind: 'postponed', until: since + 7 * 3_600_000 } } as const;
    const assessment = assignment(await configOf(PAIR), { license: LICENSE, outcome: held('FAC-A'), kept });
    expect(assessment.summary).toContain('2026-11-24T13:00:00Z');
    expect(new Set(assessment.findings.map(({ level }) => level))).toEqual(new Set(['note']));
  });
});

describe('a FortiGate that holds tokens itself, of which only its serial number is known', () => {
  it.each([
    ['FG100FTK19000001', []],
    ['FAC-X', [['license-on-other-unit', 'suspected']]],
  ] as const)('has its licence on %s', async (holder, expected) => {
    const config = await configOf(`
appliances: [{ name: fgt-1, serial: FG100FTK19000001, licenses: [${LICENSE}] }]
registration: { user: api, passwordEnv: SET_SECRET }
`);
    const units = config.appliances.map((unit) => ({ config: unit, rest: null, role: null }));
    const lookups = [{ license: LICENSE, outcome: held(holder) }];
    const known = picture({ appliances: units, registration: { kind: 'ok', lookups } });
    const assessment = licenseAssignment.judge(factsOf({ config, picture: known }));
    expect(assessment.findings.map(({ suggests, confidence }) => [suggests, confidence])).toEqual(expected);
  });
});

describe('a unit that only SNMP tells of', () => {
  it.each([
    ['FAC-A', 'not-configured', []],
    ['FAC-X', 'judged', ['appliance-serial-differs']],
  ] as const)('is compared with its configuration: %s', async (serial, kind, causes) => {
    const config = await configOf('appliances: [{ name: fac-1, serial: FAC-A }]');
    const units = config.appliances.map((unit) => ({ config: unit, rest: null, role: role('disabled', serial) }));
    const facts = { config, picture: picture({ appliances: units }) };
    const assessment = appliance.judge(factsOf(facts));
    expect(assessment.kind).toBe(kind);
    expect(assessment.findings.map(({ suggests }) => suggests)).toEqual(causes);
  });
});

describe('the date of a licence certificate', () => {
  const EXPIRING = (more: string): string => `
appliances:
  - name: fac-1
    api: { url: "https://10.0.0.5", user: monitor, keyEnv: SET_SECRET }
    certificates: [{ license: EFTM000000000009, redeemBy: 2027-03-31 }]
${more}`;

  async function assessed(text: string, at: string, registration: RegistrationObservation | null = null) {
    const config = await configOf(text);
    const units = config.appliances.map((unit) => ({ config: unit, rest: applianceFacts(), role: null }));
    const facts = { config, picture: picture({ appliances: units, registration }), at: Date.parse(at) };
    const assessment = licenseAssignment.judge(factsOf(facts));
    return { kind: assessment.kind, suggests: assessment.findings.flatMap(({ suggests }) => suggests ?? []) };
  }

  it('is judged where no registration service is configured', async () => {
    const suggests = ['license-expires-in-7-days'];
    expect(await assessed(EXPIRING(''), '2027-03-30T12:00:00Z')).toEqual({ kind: 'judged', suggests });
    expect(await assessed(EXPIRING(''), '2026-03-30T12:00:00Z')).toEqual({ kind: 'not-configured', suggests: [] });
  });

  it('is judged beside what the registration service says, which is not asked for a licence that waits', async () => {
    const text = EXPIRING('registration: { user: api, passwordEnv: SET_SECRET }');
    const lookups = [{ license: 'EFTM000000000009', outcome: { kind: 'unregistered', status: 'Pending' } }] as const;
    expect(await assessed(text, '2027-03-30T12:00:00Z', { kind: 'ok', lookups })).toEqual({
      kind: 'judged',
      suggests: ['license-expires-in-7-days'],
    });
  });
});
