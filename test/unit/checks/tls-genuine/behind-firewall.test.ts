import { describe, expect, test } from 'vitest';
import { tlsGenuine } from '../../../../src/checks/tls-genuine/judge.ts';
import type { FirewallObservation, FirewallPolicy, SslInspection } from '../../../../src/core/license/firewall.ts';
import type { Finding } from '../../../../src/engine/model.ts';
import { finding } from '../../../support/checks/judged-round.ts';
import { everything } from '../../../support/checks/everything.ts';
import { FLOW, matched } from '../../../support/checks/firewall-match.ts';
import { picture } from '../../../support/checks/observed.ts';

const OTHER = 'FGVMEV0000000001';
const OWN = 'FG100FTK20099999';
const CLEAN: SslInspection = { kind: 'known', profile: null, mode: 'none', exemptedBy: null, unreadExemptions: [] };

function firewall(
  inspection: SslInspection = CLEAN,
  {
    action = 'accept',
    serial = OWN,
    ...flow
  }: { readonly action?: FirewallPolicy['action']; readonly serial?: string | null; readonly firewall?: string } = {},
): FirewallObservation {
  return matched({ action, name: 'fac' }, inspection, { serial, ...flow });
}

const INTERCEPTED = finding('tls-intercepted', { facts: { product: 'Fortinet FortiGate', issuer: OTHER } });

function told(observations: readonly FirewallObservation[], seen: Finding = INTERCEPTED): Finding | undefined {
  const own = { id: 'tls-genuine', kind: 'judged', findings: [seen], summary: '' } as const;
  return tlsGenuine.adjust?.(own, everything({ picture: picture({ firewall: observations }) })).findings[0];
}

describe('an interception by a FortiGate', () => {
  test.each<readonly [string, readonly FirewallObservation[], string]>([
    ['one that leaves the traffic alone', [firewall()], 'FortiGate 10.0.0.1'],
    [
      'one that exempts the server',
      [firewall({ ...CLEAN, mode: 'deep', exemptedBy: 'fortinet' })],
      'FortiGate 10.0.0.1',
    ],
    ['one that does not say its serial number', [firewall(CLEAN, { serial: null })], 'FortiGate 10.0.0.1'],
    [
      'two that leave it alone',
      [firewall(), firewall(CLEAN, { firewall: 'FortiGate 10.1.0.1' })],
      'FortiGate 10.0.0.1, FortiGate 10.1.0.1',
    ],
  ])('is behind %s', (_, observations, name) => {
    expect(told(observations)).toEqual({
      ...INTERCEPTED,
      kind: 'behind-firewall',
      facts: { ...INTERCEPTED.facts, firewall: name, policy: 'policy 5 "fac"', source: '10.0.0.5' },
    });
    const suspected: Finding = { ...INTERCEPTED, suggests: 'tls-interception-suspected', level: 'warning' };
    expect(told(observations, suspected)?.kind).toBe('behind-firewall');
  });

  test.each<readonly [string, readonly FirewallObservation[]]>([
    ['none was asked', []],
    ['it is the issuer', [firewall(CLEAN, { serial: OTHER })]],
    ['one of two is the issuer', [firewall(), firewall(CLEAN, { serial: OTHER })]],
    ['it inspects certificates', [firewall({ ...CLEAN, mode: 'certificate' })]],
    ['it inspects everything', [firewall({ ...CLEAN, mode: 'deep' })]],
    ['its profile cannot be read', [firewall({ kind: 'unreadable', profile: 'x', message: 'HTTP 403' })]],
    ['it denies the traffic', [firewall(CLEAN, { action: 'deny' })]],
    ['one of two was not readable', [firewall(), { ...FLOW, kind: 'denied', status: 403 }]],
    [
      'it has no policy',
      [
        {
          ...FLOW,
          kind: 'ok',
          match: { kind: 'implicit-deny', incoming: null, outgoing: null },
          fqdnObjects: [],
          serial: OWN,
        },
      ],
    ],
  ])('may be by the one that was asked: %s', (_, observations) => {
    expect(told(observations)).toEqual(INTERCEPTED);
  });

  test.each<readonly [string, Finding]>([
    ['another product', finding('tls-intercepted', { facts: { product: 'Zscaler', issuer: 'Zscaler Root CA' } })],
    ['a name that is no serial number', finding('tls-intercepted', { facts: { issuer: 'FortiGate CA' } })],
    ['no issuer', finding('tls-intercepted')],
    ['another cause', finding('certificate-broken', { facts: { issuer: OTHER } })],
    ['a note', finding(null, { level: 'note', facts: { issuer: OTHER } })],
  ])('is told as it was: %s', (_, seen) => {
    expect(told([firewall()], seen)).toEqual(seen);
  });
});
