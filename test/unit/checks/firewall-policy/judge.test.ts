import { describe, expect, it } from 'vitest';
import { POLICY_CAUSES } from '../../../../src/checks/firewall-policy/causes.ts';
import type {
  FirewallFacts,
  FirewallObservation,
  FirewallPolicy,
  SslInspection,
} from '../../../../src/core/license/firewall.ts';
import { remedyOf } from '../../../../src/engine/remedy-words.ts';
import { judgePolicies } from '../../../support/checks/judged-policy.ts';

const FLOW = {
  firewall: 'FortiGate 10.0.0.1',
  firewallHost: '10.0.0.1',
  vdom: 'root',
  appliances: [],
  source: '10.0.0.5',
  destination: 'fortitokenmobile.fortinet.com:443',
};
const POLICY: FirewallPolicy = {
  id: 5,
  name: 'fac-out',
  action: 'accept',
  proxyMode: false,
  securityProfiles: [],
  incoming: ['port2'],
  outgoing: ['wan1'],
  nat: { enabled: true, pools: [] },
  schedule: 'always',
};
const NONE: SslInspection = {
  kind: 'known',
  profile: 'no-inspection',
  mode: 'none',
  exemptedBy: null,
  unreadExemptions: [],
};
const DEEP: SslInspection = { ...NONE, profile: 'deep-inspection', mode: 'deep' };

function matched(policy: Partial<FirewallPolicy>, inspection: SslInspection = NONE): FirewallFacts {
  return {
    ...FLOW,
    kind: 'ok',
    fqdnObjects: [],
    serial: null,
    match: { kind: 'policy', policy: { ...POLICY, ...policy }, inspection },
  };
}

interface Row {
  readonly name: string;
  readonly observation: FirewallObservation;
  readonly expected: readonly (readonly [level: string, suggests: string | null, claim: string])[];
}

const ROWS: readonly Row[] = [
  { name: 'passes untouched', observation: matched({}), expected: [] },
  { name: 'no profile at all', observation: matched({}, { ...NONE, profile: null }), expected: [] },
  {
    name: 'deep inspection',
    observation: matched({}, DEEP),
    expected: [
      [
        'broken',
        'policy-inspects-traffic',
        'Policy 5 "fac-out" uses SSL profile "deep-inspection", which inspects TLS and replaces the certificate.',
      ],
    ],
  },
  {
    name: 'deep inspection with an exemption',
    observation: matched({}, { ...DEEP, exemptedBy: 'exemption "fortinet"' }),
    expected: [
      [
        'note',
        null,
        'Policy 5 "fac-out" uses SSL profile "deep-inspection", which inspects TLS, but exemption "fortinet" ' +
          'exempts the server.',
      ],
    ],
  },
  {
    name: 'deep inspection, exemptions unreadable',
    observation: matched({}, { ...DEEP, unreadExemptions: ['category 52', 'address "ftm"'] }),
    expected: [
      [
        'warning',
        'policy-inspects-traffic',
        'Policy 5 "fac-out" uses SSL profile "deep-inspection", which inspects TLS and whose exemptions could not be ' +
          'read.',
      ],
    ],
  },
  {
    name: 'certificate inspection',
    observation: matched({ name: null }, { ...NONE, profile: 'certificate-inspection', mode: 'certificate' }),
    expected: [
      [
        'warning',
        'policy-inspects-traffic',
        'Policy 5 uses SSL profile "certificate-inspection", which inspects certificates, so block pages use ' +
          "the firewall's certificate.",
      ],
    ],
  },
  {
    name: 'proxy mode and profiles',
    observation: matched({ proxyMode: true, securityProfiles: ['ips-sensor "default"'] }),
    expected: [
      [
        'warning',
        'policy-inspects-traffic',
        'Policy 5 "fac-out" applies proxy-based inspection mode, ips-sensor "default".',
      ],
    ],
  },
  {
    name: 'profile unreadable',
    observation: matched({}, { kind: 'unreadable', profile: 'x', message: 'HTTP 404' }),
    expected: [['unknown', null, 'The SSL profile "x" of policy 5 "fac-out" could not be read.']],
  },
  {
    name: 'denying policy',
    observation: matched({ action: 'deny' }),
    expected: [['broken', 'policy-missing', 'Policy 5 "fac-out" denies the connection.']],
  },
  {
    name: 'implicit deny',
    observation: {
      ...FLOW,
      kind: 'ok',
      fqdnObjects: [],
      match: { kind: 'implicit-deny', incoming: null, outgoing: null },
      serial: null,
    },
    expected: [['broken', 'policy-missing', 'No policy allows the connection, so the implicit deny policy drops it.']],
  },
  {
    name: 'token refused',
    observation: { ...FLOW, kind: 'denied', status: 403 },
    expected: [
      ['unknown', null, 'The API token is not permitted to read the policies of FortiGate 10.0.0.1 (HTTP 403).'],
    ],
  },
  {
    name: 'no answer',
    observation: { ...FLOW, kind: 'failed', reason: 'timeout', message: 'No result', durationMs: 1 },
    expected: [['unknown', null, 'FortiGate 10.0.0.1 did not answer the policy lookup (timeout).']],
  },
];

describe('the policy of a firewall', () => {
  it.each(ROWS)('$name', ({ observation, expected }) => {
    expect(judgePolicies([observation]).map(({ level, suggests, claim }) => [level, suggests, claim])).toEqual(
      expected,
    );
  });

  it('tells a policy that denies from no policy: what is made has to stand before it', () => {
    const denied = matched({ action: 'deny' });
    const [first] = judgePolicies([denied]);
    const [implicit] = judgePolicies(
      [{ ...denied, match: { kind: 'implicit-deny', incoming: null, outgoing: null } }],
      [],
    );
    const unresolved = [{ name: 'ftm', resolves: false }];
    const [other] = judgePolicies([{ ...denied, fqdnObjects: unresolved }]);
    expect([first?.kind, implicit?.kind, other?.kind]).toEqual(['denied', undefined, 'fqdn-unresolved']);
    const { remedy } = POLICY_CAUSES['policy-missing'].kinds.denied;
    const { remedySteps } = remedyOf(remedy, { subject: '', host: 'x', port: '443', ...first?.facts });
    expect(remedySteps.map(({ commands }) => commands)).toContainEqual(expect.stringContaining('before 5'));
  });

  it('marks the faults as descriptions of the policy, and not a firewall that does not answer', () => {
    const marksOf = (observation: FirewallObservation) =>
      judgePolicies([observation]).map(({ describesPolicy }) => describesPolicy);
    expect(marksOf(matched({}, DEEP))).toEqual([true]);
    expect(marksOf(matched({ securityProfiles: ['ips-sensor "default"'] }))).toEqual([true]);
    expect(marksOf({ ...FLOW, kind: 'denied', status: 403 })).toEqual([undefined]);
  });

  it('names source, policy and profile', () => {
    const [finding] = judgePolicies([matched({}, DEEP)]);
    expect(finding?.subject).toBe('10.0.0.5 to fortitokenmobile.fortinet.com:443');
    expect(finding?.facts).toEqual({
      incoming: 'port2',
      outgoing: 'wan1',
      firewall: 'FortiGate 10.0.0.1',
      source: '10.0.0.5',
      policy: 'policy 5 "fac-out"',
      nat: 'enable',
      schedule: 'always',
      vdom: 'root',
      profile: 'deep-inspection',
    });
  });

  it.each([
    ['of all', [], ['fac-1', 'fac-2'], undefined],
    ['of every unit by name', ['fac-1', 'fac-2'], ['fac-1', 'fac-2'], undefined],
    ['of one of two', ['fac-2'], ['fac-1', 'fac-2'], ['fac-2']],
  ])('says whom a policy concerns: %s', (_, appliances, units, concerns) => {
    const [finding] = judgePolicies([{ ...matched({}, DEEP), appliances }], units);
    expect(finding?.concerns).toEqual(concerns);
  });
});
