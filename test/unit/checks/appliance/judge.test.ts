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
const MISMATCH = ['provisioning-server-matches', 'warning', 'provisioning-server-differs'] as const;
const OTHER_UNIT = ['serial-matches', 'warning', 'appliance-serial-differs'] as const;
const OTHER_PEER = ['peer-serial-matches', 'warning', 'appliance-serial-differs'] as const;
const FAILED_OVER = ['serial-matches', 'note', null] as const;
const UNREACHABLE = ['api-answers', 'broken', 'appliance-unreachable'] as const;
const UNREADABLE = ['api-answers', 'warning', 'appliance-unreadable'] as const;
const OURS = ['api-answers', 'unknown', null] as const;

interface Row {
  readonly name: string;
  readonly observation: ApplianceObservation;
  readonly expected: readonly (readonly [rule: string, level: string, suggests: string | null])[];
}

const ROWS: readonly Row[] = [
  { name: 'all well', observation: applianceFacts(), expected: [] },
  { name: 'time-out', observation: failure('timeout'), expected: [UNREACHABLE] },
  { name: 'refused', observation: failure('refused'), expected: [UNREACHABLE] },
  { name: 'a wrong certificate', observation: failure('tls'), expected: [UNREADABLE] },
  { name: 'HTML instead of JSON', observation: failure('protocol'), expected: [UNREADABLE] },
  { name: 'HTTP 500', observation: failure('rejected'), expected: [UNREADABLE] },
  {
    name: 'its name not found',
    observation: failure('name-not-resolved'),
    expected: [['api-name-resolves', 'broken', 'appliance-unreachable']],
  },
  { name: 'no route from here', observation: failure('no-route'), expected: [OURS] },
  { name: 'called off', observation: failure('aborted'), expected: [OURS] },
  { name: 'our own trouble', observation: failure('internal'), expected: [OURS] },
  {
    name: 'the key refused',
    observation: { ...AT, kind: 'denied', status: 401 },
    expected: [['api-accepts-key', 'warning', 'appliance-access-denied']],
  },
  {
    name: 'one resource refused',
    observation: applianceFacts({ mailServers: denied, tokens: denied }),
    expected: [['api-permits-reading', 'warning', 'appliance-access-denied']],
  },
  {
    name: 'only the SMS refused',
    observation: applianceFacts({ sms: denied }),
    expected: [['api-permits-reading', 'warning', 'appliance-access-denied']],
  },
  {
    name: 'another unit',
    observation: applianceFacts({ system: { serial: 'FAC-X' } }),
    expected: [OTHER_UNIT],
  },
  {
    name: 'the peer after a failover',
    observation: applianceFacts({ system: { serial: 'FAC-B', peerSerial: 'FAC-A' } }),
    expected: [FAILED_OVER],
  },
  {
    name: 'the peer after a failover, in another case',
    observation: applianceFacts({ system: { serial: 'fac-b', peerSerial: 'fac-a' } }),
    expected: [FAILED_OVER],
  },
  {
    name: 'another unit beside the configured peer',
    observation: applianceFacts({ system: { serial: 'FAC-X', peerSerial: 'FAC-B' } }),
    expected: [OTHER_UNIT],
  },
  {
    name: 'another peer',
    observation: applianceFacts({ system: { serial: 'FAC-A', peerSerial: 'FAC-X' } }),
    expected: [OTHER_PEER],
  },
  {
    name: 'another peer, which answers after a failover',
    observation: applianceFacts({ system: { serial: 'FAC-X', peerSerial: 'FAC-A' } }),
    expected: [FAILED_OVER, OTHER_PEER],
  },
  {
    name: 'the peer, beside a new unit',
    observation: applianceFacts({ system: { serial: 'FAC-B', peerSerial: 'FAC-X' } }),
    expected: [FAILED_OVER, OTHER_UNIT],
  },
  { name: 'no peer now', observation: applianceFacts({ system: { serial: 'FAC-A', peerSerial: null } }), expected: [] },
  { name: 'provisioning elsewhere', observation: provisioning('ftm.example.test', 443), expected: [MISMATCH] },
  {
    name: 'provisioning on another port',
    observation: provisioning('fortitokenmobile.fortinet.com', 8443),
    expected: [MISMATCH],
  },
  {
    name: 'provisioning on the documented port 433',
    observation: provisioning('fortitokenmobile.fortinet.com', 433),
    expected: [MISMATCH],
  },
  {
    name: 'provisioning in another spelling',
    observation: provisioning('FortiTokenMobile.Fortinet.com.', 443),
    expected: [],
  },
  {
    name: 'provisioning without a port',
    observation: provisioning('fortitokenmobile.fortinet.com', null),
    expected: [],
  },
];

describe('judgeAppliance', () => {
  it.each(ROWS)('$name', ({ observation, expected }) => {
    expect(
      judgeAppliance(observation, EXPECTED, ALONE).map(({ rule, level, suggests }) => [rule, level, suggests]),
    ).toEqual(expected);
  });

  const speaks = role('standalone-primary', null);
  const mute = { kind: 'failed', appliance: 'fac-1', reason: 'timeout', message: 'No result', durationMs: 5 } as const;

  it.each<[what: string, reason: FailureReason, views: OtherViews, expected: readonly (string | null)[]]>([
    [
      'its log goes on',
      'timeout',
      { role: null, logSpeaks: true },
      ['warning', 'appliance-unreadable', 'The API does not answer, but log lines from the unit still arrive.'],
    ],
    [
      'its log goes on, SNMP does not',
      'refused',
      { role: mute, logSpeaks: true },
      ['warning', 'appliance-unreadable', 'The API does not answer, but log lines from the unit still arrive.'],
    ],
    [
      'SNMP answers',
      'timeout',
      { role: speaks, logSpeaks: false },
      ['warning', 'appliance-unreadable', 'The API does not answer, but SNMP answers.'],
    ],
    [
      'its name is not found, its log goes on',
      'name-not-resolved',
      { role: null, logSpeaks: true },
      [
        'warning',
        'appliance-unreadable',
        'The API cannot be queried, because its name does not resolve, but log lines from the unit still arrive.',
      ],
    ],
    [
      'something else answers',
      'tls',
      ALONE,
      ['warning', 'appliance-unreadable', 'The API does not answer correctly, but a host answers at its address.'],
    ],
    [
      'nothing speaks',
      'timeout',
      { role: mute, logSpeaks: false },
      ['broken', 'appliance-unreachable', 'The API does not answer.'],
    ],
    ['we could not ask', 'no-route', { role: mute, logSpeaks: false }, ['unknown', null, 'The API does not answer.']],
  ])('weighs a failure by what else is seen: %s', (_, reason, views, expected) => {
    const [finding] = judgeAppliance(failure(reason), EXPECTED, views);
    expect([finding?.level, finding?.suggests, finding?.claim]).toEqual(expected);
  });

  it('only suspects an appliance that is silent while this machine cannot send to it over SNMP', () => {
    const confidenceOf = (reason: FailureReason): unknown =>
      judgeAppliance(failure('timeout'), EXPECTED, { role: { ...mute, reason }, logSpeaks: false })[0]?.confidence;
    expect(confidenceOf('timeout')).toBe(undefined);
    expect(confidenceOf('no-route')).toBe('suspected');
    expect(confidenceOf('internal')).toBe('suspected');
  });

  it.each<[FailureReason, string]>([
    ['timeout', 'does not answer'],
    ['refused', 'does not answer'],
    ['tls', 'does not answer correctly'],
    ['protocol', 'does not answer correctly'],
    ['rejected', 'does not answer correctly'],
    ['name-not-resolved', 'cannot be queried, because its name does not resolve'],
  ])('says of %s that it %s', (reason, failing) => {
    const [finding] = judgeAppliance(failure(reason), EXPECTED, ALONE);
    expect(finding?.facts).toEqual({ appliance: 'fac-1', address: '10.0.0.5:443', failing });
  });

  it('explains port 433', () => {
    const [finding] = judgeAppliance(provisioning('fortitokenmobile.fortinet.com', 433), EXPECTED, ALONE);
    expect(finding?.claim).toBe(
      'FortiAuthenticator activates tokens through fortitokenmobile.fortinet.com:433, but ' +
        'fortitokenmobile.fortinet.com:443 is probed (the manual documents 433, which is probably a typo for 443).',
    );
  });

  it.each([
    ['ftm.example.test', null, 'ftm.example.test:443'],
    ['fortitokenmobile.fortinet.com', 8443, 'fortitokenmobile.fortinet.com:8443'],
  ])('names what is used instead: %s, port %s', (host, port, used) => {
    const [finding] = judgeAppliance(provisioning(host, port), EXPECTED, ALONE);
    expect(finding?.expected).toBe(
      'FortiToken Mobile provisioning through the probed server, fortitokenmobile.fortinet.com:443',
    );
    expect(finding?.claim).toBe(
      `FortiAuthenticator activates tokens through ${used}, but fortitokenmobile.fortinet.com:443 is probed.`,
    );
  });

  it.each<[string, ApplianceObservation, configured: string, found: string]>([
    ['another unit', applianceFacts({ system: { serial: 'FAC-X' } }), 'FAC-A', 'FAC-X'],
    ['another peer', applianceFacts({ system: { peerSerial: 'FAC-X' } }), 'FAC-B', 'FAC-X'],
    ['another server', provisioning('ftm.example.test', null), `${HOST}:443`, 'ftm.example.test:443'],
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

  it('names the resources that may not be read', () => {
    const [finding] = judgeAppliance(applianceFacts({ mailServers: denied, tokens: denied }), EXPECTED, ALONE);
    expect(finding?.claim).toBe('The ftm-watch account is not permitted to read fortitokens, smtpservers (HTTP 403).');
  });

  it('notes a role that SNMP did not give', () => {
    const failed = { kind: 'failed', reason: 'timeout', message: 'No result', durationMs: 5000 } as const;
    const silent = { ...failed, appliance: 'fac-1' };
    expect(judgeAppliance(applianceFacts(), EXPECTED, { role: silent, logSpeaks: false })).toEqual([
      {
        rule: 'ha-role-readable',
        subject: 'fac-1',
        claim: 'The HA role could not be read over SNMP (timeout), which can also mean a wrong community or password.',
        expected: 'an HA role that can be read over SNMP',
        quote: 'No result',
        level: 'note',
        suggests: null,
        facts: { appliance: 'fac-1' },
      },
    ]);
  });
});
