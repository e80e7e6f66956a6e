import { wordsFor } from '../../../../src/engine/words.ts';
import { describe, expect, it } from 'vitest';
import { POLICY_CAUSES } from '../../../../src/checks/firewall-policy/causes.ts';
import type { FirewallObservation, SslInspection } from '../../../../src/core/firewall.ts';
import { remedyOf } from '../../../../src/engine/remedy-words.ts';
import { FLOW, matched, NO_INSPECTION } from '../../../support/checks/firewall-match.ts';
import { judgePolicies } from '../../../support/checks/judged-policy.ts';

const DEEP: SslInspection = { ...NO_INSPECTION, profile: 'deep-inspection', mode: 'deep' };

const implicitDeny: FirewallObservation = {
  ...matched({}),
  match: { kind: 'implicit-deny', incoming: null, outgoing: null },
};
const certificate: SslInspection = { ...NO_INSPECTION, profile: 'certificate-inspection', mode: 'certificate' };
const INSPECTS = 'warning policy-inspects-traffic';

describe('the policy of a firewall', () => {
  it.each<[name: string, FirewallObservation, ...expected: string[]]>([
    ['passes untouched', matched({})],
    ['no profile at all', matched({}, { ...NO_INSPECTION, profile: null })],
    ['deep inspection', matched({}, DEEP), 'broken policy-inspects-traffic'],
    ['deep inspection with an exemption', matched({}, { ...DEEP, exemptedBy: 'exemption "fortinet"' }), 'note -'],
    ['deep inspection, exemptions unreadable', matched({}, { ...DEEP, unreadExemptions: ['category 52'] }), INSPECTS],
    ['certificate inspection', matched({ name: null }, certificate), INSPECTS],
    ['proxy mode and profiles', matched({ proxyMode: true, securityProfiles: ['ips-sensor "default"'] }), INSPECTS],
    ['profile unreadable', matched({}, { kind: 'unreadable', profile: 'x', message: 'HTTP 404' }), 'unknown -'],
    ['denying policy', matched({ action: 'deny' }), 'broken policy-missing'],
    ['implicit deny', implicitDeny, 'broken policy-missing'],
    ['token refused', { ...FLOW, kind: 'denied', status: 403 }, 'unknown -'],
    ['no answer', { ...FLOW, kind: 'failed', reason: 'timeout', message: 'No result', durationMs: 1 }, 'unknown -'],
  ])('%s', (_, observation, ...expected) => {
    const findings = judgePolicies([observation]);
    expect(findings.map(({ level, suggests }) => `${level} ${suggests ?? '-'}`)).toEqual(expected);
  });

  it('tells a policy that denies from no policy: what is made has to stand before it', () => {
    const denied = matched({ action: 'deny' });
    const [first] = judgePolicies([denied]);
    const [implicit] = judgePolicies([implicitDeny], []);
    const unresolved = [{ name: 'ftm', resolves: false }];
    const [other] = judgePolicies([{ ...denied, fqdnObjects: unresolved }]);
    expect([first?.kind, implicit?.kind, other?.kind]).toEqual(['denied', undefined, 'fqdn-unresolved']);
    const { remedy } = wordsFor(POLICY_CAUSES['policy-missing'], { kind: 'denied' });
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
