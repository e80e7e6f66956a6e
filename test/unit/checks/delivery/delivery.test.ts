import { describe, expect, it } from 'vitest';
import { delivery, judgeCarrier as judgeFound } from '../../../../src/checks/delivery/judge.ts';
import type { Carrier } from '../../../../src/config/schema/watched.ts';
import type { Severity } from '../../../../src/core/severity.ts';
import type { ApplianceFacts } from '../../../../src/core/license/appliance.ts';
import { diagnose } from '../../../../src/engine/diagnose.ts';
import type { Finding } from '../../../../src/engine/model.ts';
import { applianceFacts } from '../../../support/checks/appliance-facts.ts';
import { configOf } from '../../../support/config/config-of.ts';
import { CONTEXT, finding, judgedRound, type Special } from '../../../support/checks/judged-round.ts';
import { factsOf, shown, targetFacts } from '../../../support/checks/facts.ts';
import { picture } from '../../../support/checks/observed.ts';
import { withPlainClaims } from '../../../support/checks/plain-claim.ts';

const config = await configOf('appliances: [{ name: fac-1 }]');

interface Carried {
  readonly carries: Carrier;
  readonly found: Readonly<Record<string, readonly Finding[] | null>>;
  readonly severity: Severity;
}

function judgeCarrier({ found, ...one }: Carried): readonly Finding[] {
  return judgeFound({ ...one, host: HOST, port: 443 }, found);
}

const judgeSms = withPlainClaims((facts: ApplianceFacts): readonly Finding[] => {
  const appliances = config.appliances.map((unit) => ({ config: unit, rest: facts, role: null }));
  return delivery.judge(factsOf({ picture: picture({ appliances }) })).findings;
});

const HOST = 'carrier.test';

function carrier(carries: Carrier, found: Carried['found'], severity: Severity = 'warning'): Carried {
  return { carries, found, severity };
}

const at = `${HOST}:443`;
const CLOSED = { reachability: [finding('egress-blocked', { subject: at })] };
const NAMELESS = { 'name-resolution': [finding('name-not-found', { subject: HOST })] };
const INSPECTED = { 'tls-genuine': [finding('tls-intercepted', { subject: at })] };
const CUT = { 'tls-genuine': [finding('tls-blocked', { subject: at })] };
const STRANGE = {
  'tls-genuine': [finding('tls-interception-suspected', { subject: at, confidence: 'suspected' })],
};
const EXPIRED = { 'tls-genuine': [finding('certificate-broken', { subject: at })] };
const DOUBTED = { 'tls-genuine': [finding('tls-intercepted', { subject: at, confidence: 'suspected' })] };
const UNSEEN = { 'tls-genuine': [finding(null, { subject: at, level: 'unknown' })] };

describe('what is found at a host that carries', () => {
  it.each<[Carrier, string, Carried['found'], expected: string]>([
    ['push', 'closed', CLOSED, 'warning push-unreachable'],
    ['push', 'without a name', NAMELESS, 'warning push-unreachable'],
    ['push', 'inspected', INSPECTED, 'warning push-unreachable'],
    ['push', 'cut', CUT, 'warning push-unreachable'],
    ['push', 'under an authority that is not known', STRANGE, 'note -'],
    ['push', 'with a broken certificate', EXPIRED, 'note -'],
    ['push', 'perhaps inspected', DOUBTED, 'note -'],
    ['push', 'not seen', UNSEEN, 'note -'],
    ['sms', 'closed', CLOSED, 'warning sms-gateway-unreachable'],
    ['sms', 'under an authority that is not known', STRANGE, 'note -'],
    ['fortigate', 'closed', CLOSED, 'warning fortigate-activation-unreachable'],
    ['fortigate', 'under an authority that is not known', STRANGE, 'note -'],
    ['cloud', 'inspected', INSPECTED, 'warning fortitoken-cloud-unreachable'],
    ['answers', 'closed', CLOSED, 'note -'],
    ['answers', 'without a name', NAMELESS, 'note -'],
    ['answers', 'cut', CUT, 'note -'],
    ['answers', 'under an authority of its own', STRANGE, 'warning push-certificate-refused'],
    ['answers', 'with a broken certificate', EXPIRED, 'warning push-certificate-refused'],
    ['push', 'not judged', { 'tls-genuine': null }, ''],
  ])('%s, %s', (...[carries, , found, expected]) => {
    const findings = judgeCarrier(carrier(carries, found));
    expect(findings.map(({ level, suggests }) => `${level} ${suggests ?? '-'}`).join()).toBe(expected);
  });

  it('is told with the name and the port of that host, beside what else is known', () => {
    const closed = finding('egress-blocked', { subject: at, facts: { address: '192.0.2.1', port: '80' } });
    expect(judgeCarrier(carrier('push', { reachability: [closed] }))[0]?.facts).toEqual({
      address: '192.0.2.1',
      host: HOST,
      port: '443',
    });
  });

  it('push is as sure as what was found there, and answers never, since phones may see something else', () => {
    expect(judgeCarrier(carrier('push', CLOSED))[0]?.confidence).toBeUndefined();
    expect(judgeCarrier(carrier('answers', EXPIRED))[0]?.confidence).toBe('suspected');
    expect(judgeCarrier(carrier('answers', EXPIRED, 'critical'))[0]?.level).toBe('warning');
  });

  it.each([
    ['answers', CLOSED, true],
    ['answers', UNSEEN, true],
    ['answers', { 'tls-genuine': [finding(null, { level: 'note' })] }, false],
    ['push', UNSEEN, false],
  ] as const)('%s says what it means for phones where it is a fault or not known: %j', (carries, found, told) => {
    expect(judgeCarrier(carrier(carries, found))[0]?.claim.includes('phones')).toBe(told);
  });

  it.each([
    ['critical', 'broken'],
    ['warning', 'warning'],
    ['info', 'note'],
  ] as const)('push counts for what it is worth: %s', (severity, level) => {
    expect(judgeCarrier(carrier('push', CLOSED, severity))[0]?.level).toBe(level);
  });
});

function causesOf(found: readonly Finding[], ...special: readonly Special[]): readonly string[] {
  const { causes } = diagnose(judgedRound(['delivery', found], ...special), CONTEXT);
  return causes.map(({ id }) => id);
}

describe('what is wrong with the way to the licence server as well', () => {
  const closed = judgeCarrier(carrier('push', CLOSED));
  const inspected = judgeCarrier(carrier('push', INSPECTED));
  const noSms: Finding = finding('sms-exhausted', { subject: 'fac-1', level: 'warning' });

  it('is told there', () => {
    expect(causesOf(closed)).toEqual(['push-unreachable']);
    expect(causesOf(closed, ['reachability', [finding('egress-blocked')]])).toEqual(['egress-blocked']);
    expect(causesOf(closed, ['internet', [finding('internet-unreachable')]])).toEqual(['internet-unreachable']);
    expect(causesOf(inspected, ['tls-genuine', [finding('tls-intercepted')]])).toEqual(['tls-intercepted']);
  });

  it('explains neither another fault nor what is no matter of the way', () => {
    expect(causesOf(closed, ['tls-genuine', [finding('tls-intercepted')]])).toHaveLength(2);
    expect(causesOf([noSms], ['internet', [finding('internet-unreachable')]])).toHaveLength(2);
    expect(causesOf([noSms], ['tls-genuine', [finding('tls-intercepted')]])).toHaveLength(2);
  });
});

function withSms(total: number, available: number): ApplianceFacts {
  return applianceFacts({ sms: { kind: 'read', value: { total, available } } });
}

const [PUSH] = (await configOf('services: [{ name: push, host: carrier.test, carries: push }]')).services;
const CARRIER = targetFacts({ service: PUSH ?? null });

describe('the SMS that are left', () => {
  it.each<[string, ApplianceFacts, readonly string[]]>([
    ['not told', applianceFacts(), []],
    ['none bought', withSms(0, 0), []],
    ['a tenth', withSms(100, 10), []],
    ['less', withSms(100, 9), ['warning sms-left sms-running-out']],
    ['none', withSms(100, 0), ['warning sms-left sms-exhausted']],
  ])('%s', (_, facts, expected) => {
    const found = judgeSms(facts);
    expect(found.map(({ level, rule, suggests }) => `${level} ${rule} ${String(suggests)}`)).toEqual(expected);
  });

  it.each([
    ['not configured', [], 0, 'judged'],
    ['not known', [CARRIER], 60_000, 'unjudged'],
    ['known', [CARRIER], 0, 'judged'],
  ] as const)('are told where delivery is %s', (_, carriers, stalledMs, kind) => {
    const appliances = config.appliances.map((unit) => ({ config: unit, rest: withSms(100, 0), role: null }));
    const round = shown({ stalledMs });
    const targets = [round.targets[0], ...carriers] as const;
    const facts = factsOf({ round: { ...round, targets }, picture: picture({ appliances }) });
    const told = [{ suggests: 'sms-exhausted', subject: 'fac-1' }];
    expect(delivery.judge(facts)).toMatchObject({ kind, findings: told });
    expect(delivery.judge({ ...facts, picture: picture() }).findings).toEqual([]);
  });
});
