import { describe, expect, test } from 'vitest';
import { shareFinding, shareText, withComplaint } from '../../../src/checks/comes-and-goes.ts';
import type { Finding } from '../../../src/engine/finding.ts';
import { clear, type ConnectionFault, type ConnectionShare } from '../../../src/checks/connection-share.ts';
import { finding, round } from '../../support/judged-round.ts';

const ADDRESS = '173.243.138.84';
const FAULT: ConnectionFault = {
  stage: 'tls-genuine',
  cause: 'tls-blocked',
  confidence: 'suspected',
  product: null,
  actual: 'a reset',
};
/** 12 of 21 failed. */
const SHARE: ConnectionShare = {
  ...clear([ADDRESS]),
  reported: Array.from({ length: 21 }, (_, index) => ({ address: ADDRESS, fault: index < 12 ? FAULT : null })),
};

describe('shareFinding()', () => {
  test('tells the share, the last failure and its cause', () => {
    expect(shareText(SHARE)).toBe('12 of the last 21 connections failed');
    expect(shareFinding(SHARE, FAULT)).toMatchObject({
      rule: 'every-connection-works',
      actual: '173.243.138.84: 12 of the last 21 connections failed, most recently: a reset',
      suggests: 'tls-blocked',
      confidence: 'suspected',
      facts: { address: ADDRESS },
    });
  });

  test('names a product where one is known', () => {
    expect(shareFinding(SHARE, FAULT).facts).toEqual({ address: ADDRESS });
    expect(shareFinding(SHARE, { ...FAULT, product: 'Squid' }).facts).toEqual({ address: ADDRESS, product: 'Squid' });
  });

  test.each([
    ['egress-blocked', 'were not opened'],
    ['tls-blocked', 'were cut before a certificate was shown'],
    ['tls-intercepted', 'were intercepted'],
    ['tls-interception-suspected', 'were probably intercepted'],
    ['certificate-broken', 'showed a certificate that is not valid'],
    ['license-server-down', 'failed'],
  ] as const)('says how they failed: %s', (cause, how) => {
    expect(shareFinding(SHARE, { ...FAULT, cause }).advice?.summary).toBe(
      `It comes and goes: of the last 21 connections to {subject}, 12 ${how}. One of several firewalls, links or ` +
        'servers on the way is at fault.',
    );
  });

  test.each([
    ['reachability', /source ports/u, /policies/u],
    ['tls-genuine', /policies/u, /source ports/u],
  ] as const)('says where to look: %s', (stage, wanted, elsewhere) => {
    const steps = shareFinding(SHARE, { ...FAULT, stage }).advice?.remedy ?? [];
    expect(steps[0]).toMatch(
      /^List what the traffic of this site is spread over: .* makes a share of the connections fail\.$/u,
    );
    expect(steps[1]).toMatch(/run "ftm-watch check" after each\. Without the bad one .*\.$/u);
    expect(steps.at(-1)).toMatch(/^If each of them fails as often on its own.* to Fortinet TAC\.$/u);
    const between = steps.slice(2, -1).join('\n');
    expect(between).toMatch(wanted);
    expect(between).not.toMatch(elsewhere);
  });
});

describe('withComplaint()', () => {
  const share: Finding = finding('tls-blocked', { ...shareFinding(SHARE, FAULT), level: 'warning' });
  const rows: readonly (readonly [string, Finding, Finding['level']])[] = [
    ['a share of the whole way', share, 'broken'],
    ['a share of one address of several', { ...share, facts: { ...share.facts, clean: '192.0.2.1' } }, 'warning'],
    ['a share without facts', finding('tls-blocked', { rule: share.rule, level: 'warning' }), 'broken'],
    ['a share that is past', { ...share, level: 'note' }, 'note'],
    ['something else', { ...share, rule: 'other' }, 'warning'],
  ];
  test.each(rows)('FortiAuthenticator complains beside %s', (_, found, level) => {
    const assessments = round(['tls-genuine', [found, finding(null, { level: 'note' })]]);
    const raised = withComplaint(assessments, ['tls-genuine']);
    expect(raised.find(({ id }) => id === 'tls-genuine')?.findings.map((seen) => seen.level)).toEqual([level, 'note']);
    expect(raised).toHaveLength(assessments.length);
  });

  test('a complaint of what cannot come from there changes nothing', () => {
    const assessments = round(['tls-genuine', [share]]);
    expect(withComplaint(assessments, ['mail', 'license-assignment'])).toEqual(assessments);
  });
});
