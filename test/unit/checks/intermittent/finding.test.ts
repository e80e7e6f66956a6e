import { describe, expect, test } from 'vitest';
import { textOfStep } from '../../../support/checks/text-of-step.ts';
import { forgeryFinding, shareFinding, shareText, withComplaint } from '../../../../src/checks/intermittent/finding.ts';
import type { Assessment, Finding } from '../../../../src/engine/model.ts';
import {
  clear,
  type ConnectionFault,
  type ConnectionShare,
} from '../../../../src/checks/intermittent/connection-share.ts';
import { finding } from '../../../support/checks/judged-round.ts';

const ADDRESS = '173.243.138.84';
const FAULT: ConnectionFault = {
  stage: 'tls-genuine',
  cause: 'tls-blocked',
  confidence: 'suspected',
  product: null,
  claim: 'A reset.',
};
/** Returns 21 connections, of which `count` failed. */
function failing(count: number, fault: ConnectionFault): ConnectionShare['reported'] {
  return Array.from({ length: 21 }, (_, index) => ({ address: ADDRESS, fault: index < count ? fault : null }));
}

const SHARE: ConnectionShare = { ...clear([ADDRESS]), reported: failing(12, FAULT) };

describe('shareFinding()', () => {
  test('tells the share, the last failure and its cause', () => {
    expect(shareText(SHARE)).toBe('12 of the last 21 connections failed');
    expect(shareFinding(SHARE, FAULT)).toMatchObject({
      rule: 'every-connection-works',
      expected: 'Every connection works',
      actual: '173.243.138.84: 12 of the last 21 connections failed: a reset.',
      suggests: 'tls-blocked',
      confidence: 'suspected',
      facts: { address: ADDRESS },
    });
  });

  test('names the address of the most frequent fault, not of the last failure', () => {
    const zscaler = { ...FAULT, cause: 'tls-intercepted', claim: 'Issued by Zscaler.', product: 'Zscaler' } as const;
    const other = { address: '173.243.138.85', fault: { ...FAULT, claim: 'A time-out.' } };
    const share = { ...clear([ADDRESS, other.address]), reported: [...failing(7, zscaler), other] };
    const { claim, facts, advice } = shareFinding(share, zscaler);
    expect(claim).toContain(`most recently at ${ADDRESS}: `);
    expect(facts).toEqual({ address: ADDRESS, product: 'Zscaler' });
    expect(advice?.summary).toContain(
      'of the last 22 connections to {subject}, 7 were intercepted and 1 failed in another way',
    );
  });

  test('names a product where one is known', () => {
    expect(shareFinding(SHARE, FAULT).facts).toEqual({ address: ADDRESS });
    expect(shareFinding(SHARE, { ...FAULT, product: 'Squid' }).facts).toEqual({ address: ADDRESS, product: 'Squid' });
  });

  test.each([
    ['egress-blocked', 'were not opened'],
    ['tls-blocked', 'were closed before a certificate was presented'],
    ['tls-intercepted', 'were intercepted'],
    ['tls-interception-suspected', 'were probably intercepted'],
    ['certificate-broken', 'received a certificate that is not valid'],
    ['license-server-down', 'failed'],
  ] as const)('says how they failed: %s', (cause, how) => {
    const fault = { ...FAULT, cause };
    expect(shareFinding({ ...SHARE, reported: failing(12, fault) }, fault).advice?.summary).toBe(
      `The fault is intermittent: of the last 21 connections to {subject}, 12 ${how}. One of several firewalls, ` +
        'links or servers on the path is at fault.',
    );
  });

  test.each([
    ['reachability', /source ports/u, /policies/u],
    ['tls-genuine', /policies/u, /source ports/u],
  ] as const)('says where to look: %s', (stage, wanted, elsewhere) => {
    const steps = shareFinding(SHARE, { ...FAULT, stage }).advice?.remedy.map(textOfStep) ?? [];
    expect(steps[0]).toMatch(
      /^List the devices and links that share this site's traffic, .*, only the connections that use it fail\.$/u,
    );
    expect(steps[1]).toMatch(/run the check each time\. While the faulty device or link is out of service, .*\.$/u);
    expect(steps.at(-1)).toMatch(/^If connections fail through each device and link, .* to Fortinet TAC\.$/u);
    const between = steps.slice(2, -1).join('\n');
    expect(steps.filter((step) => !/^[A-Z].*\.$/u.test(step))).toEqual([]);
    expect(between).toMatch(wanted);
    expect(between).not.toMatch(elsewhere);
  });

  test('gives the commands that find the bad one', () => {
    const remedy = shareFinding(SHARE, { ...FAULT, stage: 'reachability' }).advice?.remedy ?? [];
    expect(remedy.flatMap((step) => (typeof step === 'string' ? [] : step.commands))).toEqual([
      'ftm-watch check{config}',
      'nc -vz -w 5 -p 40001 {serverip} {port}',
      'nc -vz -w 5 -p 40002 {serverip} {port}',
      'nc -vz -w 5 -p 40003 {serverip} {port}',
    ]);
  });

  test('names no address where none of the last connections failed alike', () => {
    const { claim, facts } = shareFinding({ ...SHARE, reported: failing(0, FAULT) }, FAULT);
    expect(claim).toBe('0 of the last 21 connections failed: a reset.');
    expect(facts).toEqual({});
  });
});

describe('forgeryFinding()', () => {
  const at = Date.UTC(2026, 6, 1, 12);
  const forged: ConnectionFault = { ...FAULT, cause: 'tls-intercepted', confidence: 'confirmed' };
  const forgeries = (fault: ConnectionFault) => [
    { at: at - 120_000, address: '173.243.138.85', fault: FAULT },
    { at: at - 60_000, address: '173.243.138.86', fault: FAULT },
    { at, address: ADDRESS, fault },
  ];

  test('says nothing of one', () => {
    expect(forgeryFinding([])).toBeNull();
    expect(forgeryFinding(forgeries(forged).slice(2))).toBeNull();
  });

  test.each([
    [forged, 'were intercepted', ''],
    [{ ...forged, product: 'Squid' }, 'were intercepted', ' by Squid'],
    [{ ...forged, cause: 'license-server-down' }, 'failed', ''],
  ] as const)('tells the last of three: %j', (fault, were, by) => {
    const found = forgeryFinding(forgeries(fault));
    const count = `3 connections within the last hour ${were}, but others were not, most recently at ${ADDRESS}`;
    expect(found).toMatchObject({
      rule: 'every-connection-works',
      claim: `${count}: a reset.`,
      at,
      expected: 'Every connection works',
      suggests: fault.cause,
      confidence: 'confirmed',
      facts: { address: ADDRESS },
    });
    expect(found?.advice?.summary).toBe(
      `3 connections to {subject} within the last hour ${were}${by}, but others were not. One of several firewalls, ` +
        'links or proxies on the path inspects TLS.',
    );
  });
});

/** By address, one connection per letter: `x` failed, `.` worked. */
function shareOf(letters: Readonly<Record<string, string>>): ConnectionShare {
  const reported = Object.entries(letters).flatMap(([address, each]) =>
    Array.from(each, (letter) => ({ address, fault: letter === 'x' ? FAULT : null })),
  );
  return { ...clear(Object.keys(letters)), reported };
}

describe('shareFinding() of several addresses', () => {
  const [A, B, C, D] = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4'] as const;

  test('counts each by itself, the worst first, and is about the one that failed last', () => {
    expect(shareFinding(shareOf({ [A]: '.x.', [B]: 'xxx.', [C]: '.' }), FAULT)).toMatchObject({
      actual: '192.0.2.2 3 of 4, 192.0.2.1 1 of 3, 192.0.2.3 0 of 1: 4 of the last 8 connections failed: a reset.',
      facts: { address: B },
    });
  });

  test('counts the first ones of many', () => {
    const many = Object.fromEntries(Array.from({ length: 7 }, (_, index) => [`192.0.2.${String(index)}`, 'x.']));
    expect(shareFinding(shareOf(many), FAULT).actual).toContain('192.0.2.3 1 of 2 and 3 more: 7 of the last 14');
  });

  test('where some always fail and others always work, it goes with the address', () => {
    const { advice } = shareFinding(shareOf({ [A]: 'xxxxx', [B]: 'xxxxxx', [C]: '...', [D]: '..' }), FAULT);
    expect(advice?.summary).toBe(
      'The fault depends on the address that the name resolves to. All connections to 192.0.2.2, 192.0.2.1 fail, but ' +
        'those to 192.0.2.3, 192.0.2.4 work: of the last 16 connections to {subject}, 11 were closed before a ' +
        'certificate was presented.',
    );
    expect(advice?.remedy).toEqual([
      expect.stringMatching(
        /^Compare how the firewall treats 192\.0\.2\.2, 192\.0\.2\.1 and 192\.0\.2\.3, 192\.0\.2\.4\. .*\.$/u,
      ),
      expect.stringMatching(/^If there is no difference.* to Fortinet TAC\.$/u),
    ]);
  });

  test.each([
    ['too few failed', { [A]: 'xxxx', [B]: '.....' }],
    ['too few failed at one of them', { [A]: 'xxxxxx', [C]: 'xxxx', [B]: '.....' }],
    ['too few worked', { [A]: 'xxxxx', [B]: '....' }],
    ['one that fails has worked as well', { [A]: 'xxxxx.', [B]: '.....' }],
    ['none works', { [A]: 'xxxxx', [B]: 'xxxxx' }],
  ])('says nothing of addresses where %s', (_, letters) => {
    expect(shareFinding(shareOf(letters), FAULT).advice?.summary).toMatch(
      /^The fault is intermittent: .*\. One of several /u,
    );
  });
});

describe('withComplaint()', () => {
  const tls = (...findings: readonly Finding[]): Assessment => ({
    id: 'tls-genuine',
    kind: 'judged',
    findings,
    summary: 'Genuine',
  });
  const share: Finding = finding('tls-blocked', { ...shareFinding(SHARE, FAULT), level: 'warning' });
  const rows: readonly (readonly [string, Finding, Finding['level']])[] = [
    ['a share of the whole way', share, 'broken'],
    ['a share of one address of several', { ...share, clean: ['192.0.2.1'] }, 'warning'],
    ['a share without facts', finding('tls-blocked', { rule: share.rule, level: 'warning' }), 'broken'],
    ['a share that is past', { ...share, level: 'note' }, 'note'],
    ['something else', { ...share, rule: 'other' }, 'warning'],
  ];
  test.each(rows)('FortiAuthenticator complains beside %s', (_, found, level) => {
    const raised = withComplaint(tls(found, finding(null, { level: 'note' })), ['tls-genuine']);
    expect(raised.findings.map((seen) => seen.level)).toEqual([level, 'note']);
  });

  test('a complaint of what cannot come from there changes nothing', () => {
    expect(withComplaint(tls(share), ['mail', 'license-assignment'])).toEqual(tls(share));
  });
});
