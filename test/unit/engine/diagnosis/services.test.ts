import { describe, expect, test } from 'vitest';
import { diagnose } from '../../../../src/engine/diagnose.ts';
import type { Finding } from '../../../../src/engine/model.ts';
import { CONTEXT, finding, round, TARGET, type Special } from '../../../support/checks/judged-round.ts';

function causesOf(special: Special): readonly string[] {
  return diagnose(round(special), CONTEXT).causes.map(({ id, severity }) => `${severity} ${id}`);
}

describe('diagnose() with services', () => {
  test('takes what is wrong at services too for one fault, which is told once', () => {
    const atService = (subject: string): Finding => finding('tls-intercepted', { subject, level: 'warning' });
    const services = [atService('push.fortinet.com:443'), atService('other.test:443')];
    const both = diagnose(round(['tls-genuine', [...services, finding('tls-intercepted')]]), CONTEXT);
    expect(both.causes).toMatchObject([
      {
        id: 'tls-intercepted',
        severity: 'critical',
        subject: TARGET,
        evidence: [
          'that. Expected: this.',
          'push.fortinet.com:443: that. Expected: this.',
          'other.test:443: that. Expected: this.',
        ],
      },
    ]);
    expect(causesOf(['tls-genuine', services])).toEqual(['warning tls-intercepted', 'warning tls-intercepted']);
    expect(causesOf(['tls-genuine', [...services, finding('tls-blocked')]])).toEqual([
      'critical tls-blocked',
      'warning tls-intercepted',
      'warning tls-intercepted',
    ]);
  });

  test('speaks of the service where only that one is concerned', () => {
    const facts = { host: 'push.fortinet.com', port: '8443' };
    const subject = 'push.fortinet.com:8443';
    const lost = finding('name-not-found', { subject, level: 'warning', facts: { ...facts, resolver: '10.0.0.53' } });
    const blocked = finding('egress-blocked', { subject, level: 'warning', facts });
    const { causes } = diagnose(round(['name-resolution', [lost]], ['reachability', [blocked]]), CONTEXT);
    expect(causes.map((cause) => [cause.subject, cause.summary])).toEqual([
      ['push.fortinet.com', '10.0.0.53 reports that push.fortinet.com does not exist or has no address.'],
      [subject, expect.stringContaining(subject)],
    ]);
    expect(causes[1]?.remedy.join(' ')).toContain(
      'allow TCP 8443 from the address of FortiAuthenticator to push.fortinet.com',
    );
    expect(JSON.stringify(causes)).not.toContain(CONTEXT.host);
    // A fault of both is reported for the licence server. A resolver that is silent for all names is one fault.
    const both = diagnose(round(['reachability', [finding('egress-blocked'), blocked]]), CONTEXT);
    expect(both.causes.map(({ remedy }) => remedy.some((step) => step.includes('push')))).toEqual([false]);
    const silent = [finding('resolver-unreachable'), finding('resolver-unreachable', { facts })].map((each) => ({
      ...each,
      subject: '10.0.0.53',
    }));
    expect(diagnose(round(['name-resolution', silent]), CONTEXT).causes.map((cause) => cause.subject)).toEqual([
      CONTEXT.host,
    ]);
    const alone = diagnose(round(['name-resolution', silent.slice(1)]), CONTEXT).causes;
    expect(alone.map((cause) => cause.subject)).toEqual(['push.fortinet.com']);
    expect(JSON.stringify(alone)).not.toContain(CONTEXT.host);
  });
});
