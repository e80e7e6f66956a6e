import { describe, expect, it } from 'vitest';
import type { ApplianceObservation } from '../../../../src/core/license/appliance.ts';
import type { FailureReason } from '../../../../src/core/observation.ts';
import { applianceFacts } from '../../../support/checks/appliance-facts.ts';
import { role } from '../../../support/checks/license-bench.ts';
import { judgeAppliance, type OtherViews } from '../../../support/checks/judged-appliance.ts';

const HOST = 'fortitokenmobile.fortinet.com';
const EXPECTED = {
  unit: { name: 'fac-1', serial: 'FAC-A', peerSerial: 'FAC-B', licenses: [] },
  licenseServer: { host: HOST, port: 443 },
};
const AT = { appliance: 'fac-1', endpoint: '10.0.0.5:443' };

function failure(reason: FailureReason): ApplianceObservation {
  return { ...AT, kind: 'failed', reason, message: 'message', durationMs: 1 };
}

function provisioning(host: string, port: number | null): ApplianceObservation {
  return applianceFacts({ provisioning: { kind: 'read', value: { host, port, codeLife: null } } });
}

/** Neither SNMP nor the log provides information. */
const ALONE = { role: null, logSpeaks: false } as const;
const denied = { kind: 'denied', status: 403, message: 'HTTP 403' } as const;
const MISMATCH = 'provisioning-server-matches warning provisioning-server-differs';
const OTHER_UNIT = 'serial-matches warning appliance-serial-differs';
const OTHER_PEER = 'peer-serial-matches warning appliance-serial-differs';
const FAILED_OVER = 'serial-matches note -';
const UNREACHABLE = 'api-answers broken appliance-unreachable';
const UNREADABLE = 'api-answers warning appliance-unreadable';
const OURS = 'api-answers unknown -';
const NOT_PERMITTED = 'api-permits-reading warning appliance-access-denied';

function pair(serial: string, peerSerial: string | null): ApplianceObservation {
  return applianceFacts({ system: { serial, peerSerial } });
}

type Row = [name: string, ApplianceObservation, ...expected: string[]];

/** Each failure without an answer is recorded with its text. */
const ROWS: readonly Row[] = [
  ['all well', applianceFacts()],
  ['HTML instead of JSON', failure('protocol'), UNREADABLE],
  ['the key refused', { ...AT, kind: 'denied', status: 401 }, 'api-accepts-key warning appliance-access-denied'],
  ['one resource refused', applianceFacts({ mailServers: denied, tokens: denied }), NOT_PERMITTED],
  ['only the SMS refused', applianceFacts({ sms: denied }), NOT_PERMITTED],
  ['another unit', applianceFacts({ system: { serial: 'FAC-X' } }), OTHER_UNIT],
  ['the peer after a failover', pair('FAC-B', 'FAC-A'), FAILED_OVER],
  ['the peer after a failover, in another case', pair('fac-b', 'fac-a'), FAILED_OVER],
  ['another unit beside the configured peer', pair('FAC-X', 'FAC-B'), OTHER_UNIT],
  ['another peer', pair('FAC-A', 'FAC-X'), OTHER_PEER],
  ['another peer, which answers after a failover', pair('FAC-X', 'FAC-A'), FAILED_OVER, OTHER_PEER],
  ['the peer, beside a new unit', pair('FAC-B', 'FAC-X'), FAILED_OVER, OTHER_UNIT],
  ['no peer now', pair('FAC-A', null)],
  ['provisioning elsewhere', provisioning('ftm.example.test', 443), MISMATCH],
  ['provisioning on another port', provisioning(HOST, 8443), MISMATCH],
  ['provisioning on the documented port 433', provisioning(HOST, 433), MISMATCH],
  ['provisioning in another spelling', provisioning('FortiTokenMobile.Fortinet.com.', 443)],
  ['provisioning without a port', provisioning(HOST, null)],
];

describe('judgeAppliance', () => {
  it.each<Row>(ROWS)('%s', (_, observation, ...expected) => {
    const findings = judgeAppliance(observation, EXPECTED, ALONE);
    expect(findings.map(({ rule, level, suggests }) => `${rule} ${level} ${suggests ?? '-'}`)).toEqual(expected);
  });

  const mute = { kind: 'failed', appliance: 'fac-1', reason: 'timeout', message: 'No result', durationMs: 5 } as const;

  it.each<[what: string, reason: FailureReason, views: OtherViews, expected: string]>([
    ['its log goes on, SNMP does not', 'refused', { role: mute, logSpeaks: true }, UNREADABLE],
    ['nothing speaks', 'timeout', { role: mute, logSpeaks: false }, UNREACHABLE],
    ['we could not ask', 'no-route', { role: mute, logSpeaks: false }, OURS],
  ])('weighs a failure by what else is seen: %s', (_, reason, views, expected) => {
    const [finding] = judgeAppliance(failure(reason), EXPECTED, views);
    expect(`${finding?.rule ?? ''} ${finding?.level ?? ''} ${finding?.suggests ?? '-'}`).toBe(expected);
  });

  it('only suspects an appliance that is silent while this machine cannot send to it over SNMP', () => {
    const confidenceOf = (reason: FailureReason): unknown =>
      judgeAppliance(failure('timeout'), EXPECTED, { role: { ...mute, reason }, logSpeaks: false })[0]?.confidence;
    expect(confidenceOf('timeout')).toBe(undefined);
    expect(confidenceOf('no-route')).toBe('suspected');
    expect(confidenceOf('internal')).toBe('suspected');
  });

  it.each<[string, ApplianceObservation, configured: string, found: string]>([
    ['another unit', applianceFacts({ system: { serial: 'FAC-X' } }), 'FAC-A', 'FAC-X'],
    ['another peer', applianceFacts({ system: { peerSerial: 'FAC-X' } }), 'FAC-B', 'FAC-X'],
    ['another server', provisioning('ftm.example.test', null), `${HOST}:443`, 'ftm.example.test:443'],
    ['another port', provisioning(HOST, 8443), `${HOST}:443`, `${HOST}:8443`],
  ])('says what was expected of %s, and what was found', (_, observation, configured, found) => {
    const [finding] = judgeAppliance(observation, EXPECTED, ALONE);
    expect(finding?.facts).toMatchObject({ configured, found });
  });

  it.each([
    ['FAC-X', ['appliance-unreadable', 'appliance-serial-differs']],
    ['FAC-A', ['appliance-unreadable']],
    [null, ['appliance-unreadable']],
  ] as const)('takes the serial %s of SNMP where the API tells none', (serial, expected) => {
    const views = { role: role('disabled', serial), logSpeaks: false };
    const found = judgeAppliance(failure('timeout'), EXPECTED, views).map(({ suggests }) => suggests);
    expect(found).toEqual(expected);
  });

  it('does not need a configured serial', () => {
    const unit = { ...EXPECTED.unit, serial: null };
    const swapped = applianceFacts({ system: { serial: 'FAC-B', peerSerial: 'FAC-A' } });
    expect(judgeAppliance(swapped, { ...EXPECTED, unit }, ALONE)).toEqual([]);
  });

  it('says at which address it was asked', () => {
    const [refused] = judgeAppliance({ ...AT, kind: 'denied', status: 401 }, EXPECTED, ALONE);
    expect(refused?.facts).toEqual({ appliance: 'fac-1', address: '10.0.0.5:443' });
  });

  it('notes a role that SNMP did not give', () => {
    const findings = judgeAppliance(applianceFacts(), EXPECTED, { role: mute, logSpeaks: false });
    const unread = { rule: 'ha-role-readable', subject: 'fac-1', quote: 'No result', level: 'note', suggests: null };
    expect(findings).toEqual([expect.objectContaining({ ...unread, facts: { appliance: 'fac-1' } })]);
  });
});
