import { describe, expect, test } from 'vitest';
import type { Diagnosis, Finding } from '../../../../src/engine/model.ts';
import { diagnose } from '../../../../src/engine/diagnose.ts';
import { CONTEXT, finding, judgedRound, type Special, TARGET } from '../../../support/checks/judged-round.ts';
import { intermittentFinding } from '../../../support/checks/sampled.ts';

function seenIn(special: readonly Special[]): Diagnosis {
  return diagnose(judgedRound(...special), CONTEXT);
}

function causesIn(special: readonly Special[]): string {
  return seenIn(special)
    .causes.map(({ id, severity }) => (severity === 'critical' ? id : `${severity} ${id}`))
    .join(', ');
}

const OFFLINE: Special = ['internet', [finding('internet-unreachable')]];
const HIJACKED: Special = ['name-resolution', [finding('answer-hijacked')]];
const resolvers = (...findings: readonly Finding[]): Special => ['name-resolution', findings];
const mail = (...findings: readonly Finding[]): Special => ['mail', findings];
const appliance = (...findings: readonly Finding[]): Special => ['appliance', findings];
const path = (...findings: readonly Finding[]): Special => ['tls-genuine', findings];

const SILENT = finding('resolver-unreachable', { subject: 'udp://10.0.0.53:53' });
const OTHER_SILENT: Finding = { ...SILENT, subject: 'udp://10.0.0.54:53' };
const MAIL_LOST = finding('mail-unreachable', { rule: 'mail-server-resolves', subject: 'mx.test:25' });
const MAIL_SILENT = finding('mail-unreachable', { rule: 'mail-server-answers', subject: 'mx.test:25' });
const MAIL_REJECTS = finding('mail-recipient-rejected', { rule: 'mail-recipient-accepted', subject: 'mx2.test:25' });
const UNIT_LOST = finding('appliance-unreachable', { rule: 'api-name-resolves', subject: 'fac-1' });
const UNIT_SILENT: Finding = { ...UNIT_LOST, rule: 'api-answers' };
const UNREAD: Finding = { ...UNIT_LOST, level: 'warning', suggests: 'appliance-unreadable' };
const DENIED: Finding = { ...UNREAD, rule: 'api-accepts-key', suggests: 'appliance-access-denied' };
const OTHER_UNIT = finding('appliance-serial-differs', { subject: 'fac-1' });
const INTERCEPTED = finding('tls-intercepted');
const INSPECTS = finding('policy-inspects-traffic', { subject: 'https://10.0.0.1' });
const MISSING = finding('policy-missing', { subject: 'https://10.0.0.2' });
const policies = (...findings: readonly Finding[]): Special => ['firewall-policy', findings];
const warned = (one: Finding): Finding => ({ ...one, level: 'warning' });
const noted = finding(null, { level: 'note' });
const atService = (suggests: Parameters<typeof finding>[0], subject = 'push.fortinet.com:443'): Finding =>
  finding(suggests, { subject, level: 'warning' });

describe('what explains a fault', () => {
  test.each<readonly [string, readonly Special[], string]>([
    ['a dead uplink: a mail server without a name', [OFFLINE, mail(MAIL_LOST)], ''],
    ['a dead uplink: a silent mail server', [OFFLINE, mail(MAIL_SILENT)], ''],
    ['a dead uplink: both, and a warning beside', [OFFLINE, mail(MAIL_LOST, MAIL_SILENT, warned(MAIL_REJECTS))], ''],
    ['not a refusing mail server', [OFFLINE, mail(MAIL_REJECTS)], ', mail-recipient-rejected'],
    [
      'not one that is silent beside one that refuses',
      [OFFLINE, mail(MAIL_SILENT, MAIL_REJECTS)],
      ', mail-unreachable, mail-recipient-rejected',
    ],
    ['a dead uplink: silent resolvers', [OFFLINE, resolvers(SILENT, OTHER_SILENT)], ''],
    ['a dead uplink: silent resolvers, and a note beside', [OFFLINE, resolvers(SILENT, noted)], ''],
    ['not one that lies', [OFFLINE, HIJACKED], ', answer-hijacked'],
    [
      'not a silent one and one that lies',
      [OFFLINE, resolvers(SILENT, finding('answer-hijacked'))],
      ', answer-hijacked',
    ],
    ['a dead uplink: an appliance that is silent', [OFFLINE, appliance(UNIT_SILENT)], ''],
    ['not one that is another unit', [OFFLINE, appliance(OTHER_UNIT)], ', appliance-serial-differs'],
  ])('%s', (_, special, more) => {
    const { causes } = seenIn(special);
    expect(causes.map(({ id }) => id).join(', ')).toBe(`internet-unreachable${more}`);
    // A consequence of the cause is not evidence for it.
    expect(causes[0]?.evidence).toHaveLength(1);
  });

  test.each<readonly [string, readonly Special[], string]>([
    ['a lying resolver: a mail server without a name', [HIJACKED, mail(MAIL_LOST)], 'answer-hijacked'],
    [
      'a lying resolver: it, and a warning beside',
      [HIJACKED, mail(MAIL_LOST, warned(MAIL_REJECTS))],
      'answer-hijacked',
    ],
    ['not one that is silent', [HIJACKED, mail(MAIL_SILENT)], 'answer-hijacked, mail-unreachable'],
    ['not a warning', [HIJACKED, mail(warned(MAIL_LOST))], 'answer-hijacked, warning mail-unreachable'],
    [
      'not it beside one that refuses',
      [HIJACKED, mail(MAIL_LOST, MAIL_REJECTS)],
      'answer-hijacked, mail-unreachable, mail-recipient-rejected',
    ],
    [
      'silent resolvers: an appliance without a name',
      [resolvers(SILENT), appliance(UNIT_LOST)],
      'resolver-unreachable',
    ],
    ['silent resolvers: one that runs', [resolvers(SILENT), appliance(UNREAD)], 'resolver-unreachable'],
    ['silent resolvers: it, and a note', [resolvers(SILENT), appliance(UNREAD, noted)], 'resolver-unreachable'],
    ['nothing: it, where the resolvers are well', [appliance(UNREAD)], 'warning appliance-unreadable'],
    ['nothing: an appliance, where the resolvers are well', [appliance(UNIT_LOST)], 'appliance-unreachable'],
    [
      'not one that refuses the key',
      [resolvers(SILENT), appliance(DENIED)],
      'resolver-unreachable, warning appliance-access-denied',
    ],
    [
      'not it beside one that refuses the key',
      [resolvers(SILENT), appliance(UNREAD, { ...DENIED, subject: 'fac-2' })],
      'resolver-unreachable, warning appliance-unreadable, warning appliance-access-denied',
    ],
    [
      'not an appliance at an address',
      [resolvers(SILENT), appliance(UNIT_SILENT)],
      'resolver-unreachable, appliance-unreachable',
    ],
    [
      'the same fault at a service',
      [path(atService('tls-intercepted'), atService('tls-intercepted', 'b:443'), INTERCEPTED)],
      'tls-intercepted',
    ],
    ['nothing: a service alone', [path(atService('tls-intercepted'))], 'warning tls-intercepted'],
    [
      'not another fault of it',
      [path(atService('tls-intercepted'), finding('tls-blocked'))],
      'tls-blocked, warning tls-intercepted',
    ],
    ['an interception: the policy that inspects', [path(INTERCEPTED), policies(INSPECTS)], 'tls-intercepted'],
    ['nothing: the policy alone', [policies(INSPECTS)], 'policy-inspects-traffic'],
    ['not another policy', [path(INTERCEPTED), policies(MISSING)], 'tls-intercepted, policy-missing'],
    [
      'not it beside another policy',
      [path(INTERCEPTED), policies(INSPECTS, MISSING)],
      'tls-intercepted, policy-inspects-traffic, policy-missing',
    ],
    [
      'not one that anybody can have written',
      [path(atService('tls-intercepted'), finding('tls-intercepted', { unproven: true, subject: 'fac-1' }))],
      'tls-intercepted, warning tls-intercepted',
    ],
  ])('%s', (_, special, causes) => {
    expect(causesIn(special)).toBe(causes);
    // What a fault explains is not evidence for it, except for a policy and for the same fault at services.
    const more = special.flatMap(([id, findings]) =>
      id === 'firewall-policy' || id === 'tls-genuine' ? findings.slice(id === 'tls-genuine' ? 1 : 0) : [],
    );
    expect(seenIn(special).causes[0]?.evidence).toHaveLength(1 + (causes === 'tls-intercepted' ? more.length : 0));
  });

  test('blocks it, with all that depends on it', () => {
    const { preconditions } = seenIn([OFFLINE, resolvers(SILENT), ['reachability', [], 'unjudged'], mail(MAIL_LOST)]);
    expect(preconditions.filter(({ state }) => state === 'blocked').map(({ id }) => id)).toEqual([
      'name-resolution',
      'reachability',
      'tls-genuine',
      'license-server',
      'mail',
    ]);
    expect(seenIn([resolvers(SILENT), appliance(UNIT_LOST)]).causes[0]?.consequences).toContain('appliance');
  });
});

describe('a service', () => {
  const facts = { host: 'push.fortinet.com', port: '8443' };
  const subject = 'push.fortinet.com:8443';
  const blocked = finding('egress-blocked', { subject, level: 'warning', facts });

  test('is named where only that one is concerned', () => {
    const lost = finding('name-not-found', { subject, level: 'warning', facts });
    const { causes } = seenIn([resolvers(lost), ['reachability', [blocked]]]);
    expect(causes.map((cause) => cause.subject)).toEqual(['push.fortinet.com', subject]);
    expect(causes[1]?.remedy.join(' ')).toContain('push.fortinet.com');
    expect(JSON.stringify(causes)).not.toContain(CONTEXT.host);
    const both = seenIn([['reachability', [finding('egress-blocked'), blocked]]]);
    expect(both.causes.map(({ remedy }) => remedy.some((step) => step.includes('push')))).toEqual([false]);
  });

  test('is one fault with the licence server where a resolver is silent for all names', () => {
    const silent = [SILENT, { ...SILENT, facts }];
    expect(seenIn([resolvers(...silent)]).causes.map((cause) => cause.subject)).toEqual([CONTEXT.host]);
    const alone = seenIn([resolvers(...silent.slice(1))]).causes;
    expect(alone.map((cause) => cause.subject)).toEqual(['push.fortinet.com']);
    expect(JSON.stringify(alone)).not.toContain(CONTEXT.host);
  });
});

describe('a small share of lost connections', () => {
  const share: Finding = { ...intermittentFinding({ '192.0.2.1': '.xxxxxx.............' }), subject: TARGET };
  const line = finding('polling-failing', { explainedBy: ['tls-genuine'] });
  const datagram: Finding = { ...line, level: 'warning', confidence: 'suspected' };
  const shut: Special = ['reachability', [finding('egress-blocked')]];

  test.each<readonly [string, readonly Special[], readonly [state: string, blockedBy: readonly string[]]]>([
    ['explains a datagram', [path(share), ['polling', [datagram]]], ['blocked', ['tls-genuine']]],
    ['does it alone of all warnings', [path(atService('tls-blocked')), ['polling', [datagram]]], ['warning', []]],
    ['does it where nothing is broken', [shut, path(share), ['polling', [datagram]]], ['blocked', ['reachability']]],
    ['does not explain what is sure', [path(share), ['polling', [line]]], ['broken', []]],
    [
      'does not explain what is not known',
      [path(share), ['polling', [finding(null, { level: 'unknown' })]]],
      ['unknown', []],
    ],
  ])('%s', (_, special, expected) => {
    const polling = seenIn(special).preconditions.find(({ id }) => id === 'polling');
    expect([polling?.state, polling?.blockedBy]).toEqual(expected);
  });
});
