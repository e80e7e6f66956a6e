import { describe, expect, test } from 'vitest';
import { judgePolicies } from '../../support/checks/judged-policy.ts';
import type { FaultId, PreconditionId } from '../../../src/checks/registry.ts';
import type { FirewallObservation, PolicyMatch } from '../../../src/core/license/firewall.ts';
import type { Cause, Diagnosis, Finding } from '../../../src/engine/model.ts';
import { diagnose } from '../../../src/engine/diagnose.ts';
import { composeMessage } from '../../../src/notify/channels/email.ts';
import { slackMessage } from '../../../src/notify/channels/slack.ts';
import { renderDiagnosis } from '../../../src/report/report-text.ts';
import { CONTEXT, finding, round } from '../../support/checks/judged-round.ts';
import { timeline } from '../../support/store/incident-timeline.ts';
import { AT_HQ } from '../../support/checks/message-context.ts';
import { render } from '../../support/web/rendered-page.ts';

const PLAIN = { color: false, width: 200 };

function answered(match: PolicyMatch): FirewallObservation {
  return {
    kind: 'ok',
    firewall: 'FortiGate 10.0.0.1',
    firewallHost: '10.0.0.1',
    vdom: 'root',
    serial: 'FGT60F0000000001',
    appliances: [],
    source: '10.0.0.5',
    destination: 'fortitokenmobile.fortinet.com:443',
    match,
    fqdnObjects: [],
  };
}

function policy(action: 'accept' | 'deny', mode: 'none' | 'deep', exemptedBy: string | null = null): PolicyMatch {
  const profile = mode === 'deep' ? 'deep-inspection' : null;
  return {
    kind: 'policy',
    policy: {
      id: 12,
      name: 'LAN-to-Internet',
      action,
      proxyMode: false,
      securityProfiles: [],
      incoming: ['port2'],
      outgoing: ['wan1'],
      nat: { enabled: false, pools: [] },
      schedule: 'always',
    },
    inspection: { kind: 'known', profile, mode, exemptedBy, unreadExemptions: [] },
  };
}

const INSPECTS = answered(policy('accept', 'deep'));
const DENIES = answered(policy('deny', 'none'));
const IMPLICIT = answered({ kind: 'implicit-deny', incoming: 'port2', outgoing: 'wan1' });

const WHO = {
  inspects: 'FortiGate 10.0.0.1, policy 12 "LAN-to-Internet", profile "deep-inspection"',
  denies: 'FortiGate 10.0.0.1, policy 12 "LAN-to-Internet"',
  implicit: 'FortiGate 10.0.0.1, implicit deny (no policy allows it from port2 to wan1)',
};

/** The text that is read first in each message about the only cause. */
interface FirstRead {
  readonly subject: string;
  readonly mail: string;
  readonly mailStep: string;
  readonly slack: string;
  readonly page: string;
  readonly check: string;
}

function told(
  stage: PreconditionId | null,
  own: readonly Finding[],
  observation: FirewallObservation | null,
): Diagnosis {
  const asked = observation === null ? [] : judgePolicies([observation]);
  return diagnose(
    round(...(stage === null ? [] : [[stage, own] as const]), [
      'firewall-policy',
      asked,
      observation === null ? 'not-configured' : 'judged',
    ]),
    CONTEXT,
  );
}

function firstRead(diagnosis: Diagnosis): FirstRead {
  const [notification] = timeline().rounds(2, diagnosis.causes).told;
  if (notification === undefined) throw new Error('Nothing was sent');
  const mail = composeMessage(notification, { ...AT_HQ, from: 'ftm-watch@example.org', delayed: null });
  const { attachments } = slackMessage(notification, AT_HQ) as { readonly attachments: readonly { text: string }[] };
  const html = render({ diagnosis }).replaceAll('&quot;', '"');
  return {
    subject: mail.subject,
    mail: joined(mail.text.split('\n\n')[0]),
    mailStep: joined(/What to do\n(?<step>[\s\S]*?)\n {2}2\./u.exec(mail.text)?.groups?.['step']),
    slack: attachments[0]?.text.split('\n')[0] ?? '',
    page: [/<p class="conclusion"[^>]*>.*?<\/p>/u, /<h2[^>]*>.*?<\/h2>/u].map((part) => part.exec(html)?.[0]).join(' '),
    check:
      renderDiagnosis(diagnosis, PLAIN)
        .split('\n')
        .find((line) => line.startsWith('CRITICAL')) ?? '',
  };
}

/** Returns the text without the line breaks of a mail. */
function joined(text: string | undefined): string {
  return (text ?? '').replaceAll(/\s+/gu, ' ').trim();
}

const SHUT = finding('egress-blocked', { rule: 'port-open', kind: 'no-answer', confidence: 'suspected' });

describe('with the answer of the firewall, device and policy are in the first line', () => {
  test.each<readonly [FaultId, PreconditionId | null, readonly Finding[], FirewallObservation, keyof typeof WHO]>([
    ['tls-intercepted', 'tls-genuine', [finding('tls-intercepted')], INSPECTS, 'inspects'],
    [
      'tls-intercepted',
      'tls-genuine',
      [finding('tls-intercepted', { facts: { product: 'Fortinet FortiGate' } })],
      INSPECTS,
      'inspects',
    ],
    ['tls-interception-suspected', 'tls-genuine', [finding('tls-interception-suspected')], INSPECTS, 'inspects'],
    ['tls-blocked', 'tls-genuine', [finding('tls-blocked')], INSPECTS, 'inspects'],
    ['egress-blocked', 'reachability', [SHUT], DENIES, 'denies'],
    ['egress-blocked', 'reachability', [SHUT], IMPLICIT, 'implicit'],
    ['policy-inspects-traffic', null, [], INSPECTS, 'inspects'],
    ['policy-missing', null, [], DENIES, 'denies'],
    ['policy-missing', null, [], IMPLICIT, 'implicit'],
  ])('%s (%s)', (id, stage, own, observation, who) => {
    const diagnosis = told(stage, own, observation);
    expect(diagnosis.causes.map((cause) => cause.id)).toEqual([id]);
    const read = firstRead(diagnosis);
    expect(read.subject).toMatch(who === 'implicit' ? /10\.0\.0\.1: implicit deny$/u : /policy 12 on .*10\.0\.0\.1 /u);
    expect(read.subject.length).toBeLessThanOrEqual(60);
    expect(read.mail).toContain(WHO[who]);
    expect(read.slack).toContain(WHO[who]);
    expect(read.check).toContain(WHO[who]);
    expect(read.page.split(WHO[who]).length).toBe(3);
    // The first step is the repair, not the search.
    expect(read.mailStep).toMatch(/^1\. On FortiGate 10\.0\.0\.1, create a policy for FortiAuthenticator/u);
    expect(diagnosis.causes[0]?.evidence[0]).toMatch(/olicy/u);
  });
});

describe('no policy is named as the culprit', () => {
  const intercepted = (over: Partial<Finding> = {}): readonly Finding[] => [finding('tls-intercepted', over)];
  const answer = 'kind' in INSPECTS ? INSPECTS : DENIES;

  test.each<readonly [string, PreconditionId, readonly Finding[], FirewallObservation | null]>([
    ['no firewall was asked', 'tls-genuine', intercepted(), null],
    ['the policy inspects nothing', 'tls-genuine', intercepted(), answered(policy('accept', 'none'))],
    ['the server is exempt', 'tls-genuine', intercepted(), answered(policy('accept', 'deep', 'exemption "fortinet"'))],
    ['it denies what is intercepted all the same', 'tls-genuine', intercepted(), DENIES],
    ['the issuer is another product', 'tls-genuine', intercepted({ facts: { product: 'Zscaler' } }), answer],
    ['the issuer is another FortiGate', 'tls-genuine', intercepted({ facts: { issuer: 'FGT60F0000000002' } }), answer],
    ['another address is not intercepted', 'tls-genuine', intercepted({ clean: ['192.0.2.8'] }), answer],
    [
      'only some connections are',
      'tls-genuine',
      intercepted({ advice: { summary: 'Some.', remedy: ['Do.'] } }),
      answer,
    ],
    ['the certificate is the server’s own and expired', 'tls-genuine', [finding('certificate-broken')], answer],
    ['it inspects, and the port is shut', 'reachability', [SHUT], answer],
  ])('%s', (_, stage, own, observation) => {
    const { causes } = told(stage, own, observation);
    const cause = causes.find(({ precondition }) => precondition === stage);
    expect(cause).toBeDefined();
    expect(cause?.culprit).toBeUndefined();
    expect(cause?.summary).not.toMatch(/policy 12/u);
  });

  test('two policies could be meant', () => {
    const other = { ...INSPECTS, source: '10.0.0.6', firewall: 'FortiGate 10.0.0.2', firewallHost: '10.0.0.2' };
    const asked = judgePolicies([INSPECTS, other]);
    const { causes } = diagnose(round(['tls-genuine', intercepted()], ['firewall-policy', asked]), CONTEXT);
    expect(causes.map(({ id, culprit }) => [id, culprit])).toEqual([['tls-intercepted', undefined]]);
  });
});

describe('the subject', () => {
  const subjectOf = (cause: Cause, site: string): string => {
    const [notification] = timeline().rounds(2, [cause]).told;
    if (notification === undefined) throw new Error('Nothing was sent');
    return composeMessage(notification, { ...AT_HQ, site, from: 'f@example.org', delayed: null }).subject;
  };

  test.each([
    ['hq', 'FortiGate 10.0.0.1', '10.0.0.1', 'CRITICAL hq: policy 12 on FortiGate 10.0.0.1 inspects TLS'],
    ['headquarters', 'FortiGate 10.0.0.1', '10.0.0.1', 'CRITICAL headquarters: policy 12 on 10.0.0.1 inspects TLS'],
    [
      'headquarters',
      'FortiGate 192.168.100.100',
      '192.168.100.100',
      'CRITICAL headqua…: policy 12 on 192.168.100.100 inspects TLS',
    ],
    [
      'hq',
      'FortiGate firewall-of-the-east-wing.example.org',
      'firewall-of-the-east-wing.example.org',
      'CRITICAL hq: policy 12 inspects TLS',
    ],
  ])('at %s by %s', (site, firewall, firewallHost, subject) => {
    const [cause] = told(null, [], { ...INSPECTS, firewall, firewallHost }).causes;
    if (cause === undefined) throw new Error('No cause');
    expect(subjectOf(cause, site)).toBe(subject);
  });
});

describe('the precondition "firewall-policy"', () => {
  const shown = (observation: FirewallObservation): string | undefined =>
    told('tls-genuine', [finding('tls-intercepted')], observation).preconditions.find(
      ({ id }) => id === 'firewall-policy',
    )?.summary;

  test('shows its answer although the diagnosis does not need it', () => {
    expect(shown(INSPECTS)).toBe(
      'Policy 12 "LAN-to-Internet" uses SSL profile "deep-inspection", which inspects TLS and replaces the ' +
        'certificate. This is the same fault as in Genuine TLS.',
    );
  });
});

describe('an answer of the firewall from before the fault', () => {
  const causeWith = (fresh: readonly FirewallObservation[]): Cause | undefined => {
    const assessments = round(
      ['tls-genuine', [finding('tls-intercepted')]],
      ['firewall-policy', judgePolicies([INSPECTS])],
    );
    return diagnose(assessments, { ...CONTEXT, fresh: judgePolicies(fresh) }).causes[0];
  };

  test('names no culprit until it was asked again', () => {
    const failed: FirewallObservation = {
      ...INSPECTS,
      kind: 'failed',
      reason: 'timeout',
      message: 'No answer',
      durationMs: 2_000,
    };
    expect(causeWith([failed])?.culprit).toBeUndefined();
    expect(causeWith([INSPECTS])?.culprit).toMatchObject({ policy: { id: 12 }, action: 'inspects' });
  });
});
