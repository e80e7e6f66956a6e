import { describe, expect, test } from 'vitest';
import { headline } from '../../../src/checks/headline.ts';
import type { FaultId, PreconditionId } from '../../../src/checks/registry.ts';
import type { FirewallFacts, FirewallObservation } from '../../../src/core/firewall.ts';
import { diagnose } from '../../../src/engine/diagnose.ts';
import type { Cause, Diagnosis, Finding } from '../../../src/engine/model.ts';
import { capital, culpritText } from '../../../src/engine/words.ts';
import { composeMessage } from '../../../src/notify/channels/email.ts';
import { slackMessage } from '../../../src/notify/channels/slack.ts';
import { renderDiagnosis } from '../../../src/report/report-text.ts';
import { FLOW, matched, NO_INSPECTION } from '../../support/checks/firewall-match.ts';
import { judgePolicies } from '../../support/checks/judged-policy.ts';
import { CONTEXT, finding, judgedRound } from '../../support/checks/judged-round.ts';
import { AT_HQ } from '../../support/checks/message-context.ts';
import { timeline } from '../../support/store/incident-timeline.ts';
import { render } from '../../support/web/rendered-page.ts';
import { textOfPage } from '../../words/text-of-page.ts';

const DEEP = { ...NO_INSPECTION, profile: 'deep-inspection', mode: 'deep' } as const;
const SERIAL = { serial: 'FGT60F0000000001' } as const;
const INSPECTS = matched({ id: 12, name: 'LAN' }, DEEP, SERIAL);
const DENIES = matched({ id: 12, name: 'LAN', action: 'deny' }, NO_INSPECTION, SERIAL);
const IMPLICIT: FirewallFacts = {
  ...DENIES,
  match: { kind: 'implicit-deny', incoming: 'port2', outgoing: 'wan1' },
};
const FAILED: FirewallObservation = { ...FLOW, kind: 'failed', reason: 'timeout', message: '', durationMs: 2_000 };

/** What names device and policy. */
const WHO = new Map([
  [INSPECTS, ['FortiGate 10.0.0.1', 'policy 12', '"LAN"', '"deep-inspection"']],
  [DENIES, ['FortiGate 10.0.0.1', 'policy 12', '"LAN"']],
  [IMPLICIT, ['FortiGate 10.0.0.1', 'implicit deny', 'port2', 'wan1']],
]);

const SHUT = finding('egress-blocked', { rule: 'port-open', confidence: 'suspected' });

function intercepted(over: Partial<Finding> = {}): readonly Finding[] {
  return [finding('tls-intercepted', over)];
}

function told(
  stage: PreconditionId | null,
  own: readonly Finding[],
  answers: readonly FirewallObservation[],
): Diagnosis {
  const kind = answers.length === 0 ? 'not-configured' : 'judged';
  const stages = stage === null ? [] : [[stage, own] as const];
  return diagnose(judgedRound(...stages, ['firewall-policy', judgePolicies(answers), kind]), CONTEXT);
}

function mailOf(cause: Cause | undefined, site = 'hq'): ReturnType<typeof composeMessage> {
  const [notification] = timeline().rounds(2, cause === undefined ? [] : [cause]).told;
  if (notification === undefined) throw new Error('Nothing was sent');
  return composeMessage(notification, { ...AT_HQ, site, from: 'f@example.org', delayed: null });
}

/** Returns the text that is read first in each message about the only cause. */
function firstRead(diagnosis: Diagnosis): Readonly<Record<string, string>> {
  const [notification] = timeline().rounds(2, diagnosis.causes).told;
  if (notification === undefined) throw new Error('Nothing was sent');
  const { attachments } = slackMessage(notification, AT_HQ) as { readonly attachments: readonly { text: string }[] };
  const html = render({ diagnosis }).replaceAll('&quot;', '"');
  const lines = renderDiagnosis(diagnosis, { color: false, width: 200 }).split('\n');
  return {
    mail: mailOf(diagnosis.causes[0]).text.split('\n\n')[0]?.replaceAll(/\s+/gu, ' ') ?? '',
    slack: attachments[0]?.text.split('\n')[0] ?? '',
    verdict: /<a class="cause-link"[^>]*>.*?<\/a>/u.exec(html)?.[0] ?? '',
    heading: /<h2[^>]*>.*?<\/h2>/u.exec(html)?.[0] ?? '',
    check: lines.find((line) => line.startsWith('CRITICAL')) ?? '',
  };
}

describe('with the answer of the firewall, device and policy are in the first line', () => {
  test.each<readonly [FaultId, PreconditionId | null, readonly Finding[], FirewallFacts]>([
    ['tls-intercepted', 'tls-genuine', intercepted(), INSPECTS],
    ['tls-intercepted', 'tls-genuine', intercepted({ facts: { product: 'Fortinet FortiGate' } }), INSPECTS],
    ['tls-interception-suspected', 'tls-genuine', [finding('tls-interception-suspected')], INSPECTS],
    ['tls-blocked', 'tls-genuine', [finding('tls-blocked')], INSPECTS],
    ['egress-blocked', 'reachability', [SHUT], DENIES],
    ['egress-blocked', 'reachability', [SHUT], IMPLICIT],
    ['policy-inspects-traffic', null, [], INSPECTS],
    ['policy-missing', null, [], DENIES],
    ['policy-missing', null, [], IMPLICIT],
  ])('%s (%s)', (id, stage, own, answer) => {
    const diagnosis = told(stage, own, [answer]);
    expect(diagnosis.causes.map((cause) => cause.id)).toEqual([id]);
    const [device = '', policy = '', ...details] = WHO.get(answer) ?? [];
    for (const [place, text] of Object.entries(firstRead(diagnosis))) {
      // On the page, the summary below the heading has the details.
      const expected = ['verdict', 'heading'].includes(place) ? [device, policy] : [device, policy, ...details];
      expect([place, expected.filter((part) => !text.toLowerCase().includes(part.toLowerCase()))]).toEqual([place, []]);
    }
    const page = textOfPage(render({ diagnosis }));
    const timesOf = (text: string): number => page.split(text).length - 1;
    const culprits = diagnosis.causes.flatMap(({ culprit }) => culprit ?? []);
    expect(diagnosis.causes.map((cause) => timesOf(capital(headline(cause))))).toEqual([2]);
    expect(culprits.map((culprit) => timesOf(culpritText(culprit)))).toEqual([1]);
    const { subject } = mailOf(diagnosis.causes[0]);
    expect(subject).toContain(policy);
    expect(subject).toContain('10.0.0.1');
    expect(subject.length).toBeLessThanOrEqual(60);
    // The first step is the repair, not the search. The first evidence is the policy.
    expect(diagnosis.causes[0]?.remedySteps[0]).toMatchObject({
      text: expect.stringContaining(device),
      syntax: 'fortios',
    });
    expect(diagnosis.causes[0]?.evidence[0]).toMatch(/olicy/u);
  });
});

describe('no policy is named as the culprit', () => {
  test.each<readonly [string, PreconditionId, readonly Finding[], readonly FirewallObservation[]]>([
    ['no firewall was asked', 'tls-genuine', intercepted(), []],
    ['the policy inspects nothing', 'tls-genuine', intercepted(), [matched({ id: 12 })]],
    ['the server is exempt', 'tls-genuine', intercepted(), [matched({ id: 12 }, { ...DEEP, exemptedBy: 'a name' })]],
    ['it denies what is intercepted all the same', 'tls-genuine', intercepted(), [DENIES]],
    ['the issuer is another product', 'tls-genuine', intercepted({ facts: { product: 'Zscaler' } }), [INSPECTS]],
    [
      'the issuer is another FortiGate',
      'tls-genuine',
      intercepted({ facts: { issuer: 'FGT60F0000000002' } }),
      [INSPECTS],
    ],
    ['another address is not intercepted', 'tls-genuine', intercepted({ clean: ['192.0.2.8'] }), [INSPECTS]],
    [
      'only some connections are',
      'tls-genuine',
      intercepted({ advice: { summary: 'S.', remedy: ['Do.'] } }),
      [INSPECTS],
    ],
    ["the certificate is the server's own and expired", 'tls-genuine', [finding('certificate-broken')], [INSPECTS]],
    ['it inspects, and the port is shut', 'reachability', [SHUT], [INSPECTS]],
    [
      'two policies could be meant',
      'tls-genuine',
      intercepted(),
      [INSPECTS, { ...INSPECTS, source: '10.0.0.6', firewall: 'FortiGate 10.0.0.2', firewallHost: '10.0.0.2' }],
    ],
  ])('%s', (_, stage, own, answers) => {
    const cause = told(stage, own, answers).causes.find(({ precondition }) => precondition === stage);
    expect(cause).toBeDefined();
    expect(cause?.culprit).toBeUndefined();
    expect(cause?.summary).not.toContain('policy 12');
  });

  test.each([
    ['until it was asked again', FAILED, undefined],
    ['but by a fresh answer', INSPECTS, { policy: { id: 12 }, action: 'inspects' }],
  ])('%s: the answer is from before the fault', (_, fresh, culprit) => {
    const assessments = judgedRound(['tls-genuine', intercepted()], ['firewall-policy', judgePolicies([INSPECTS])]);
    const [cause] = diagnose(assessments, { ...CONTEXT, fresh: judgePolicies([fresh]) }).causes;
    expect(cause).toMatchObject(culprit === undefined ? { id: 'tls-intercepted' } : { culprit });
    expect(cause?.culprit === undefined).toBe(culprit === undefined);
  });
});

test.each([
  ['hq', '10.0.0.1', 'hq: policy 12 on 10.0.0.1 '],
  ['head-office', '10.0.0.1', 'head-office: policy 12 on 10.0.0.1 '],
  ['headquarters', '192.168.100.100', 'headquarters: policy 12 '],
  ['hq', 'firewall-of-the-east-wing.example.org', 'policy 12 '],
])('the subject at %s has room for %s', (site, firewallHost, expected) => {
  const [cause] = told(null, [], [{ ...INSPECTS, firewall: `FortiGate ${firewallHost}`, firewallHost }]).causes;
  const { subject } = mailOf(cause, site);
  expect(subject).toContain(expected);
  expect(subject.includes(firewallHost)).toBe(expected.includes(firewallHost));
  expect(subject.length).toBeLessThanOrEqual(60);
});

test('the precondition "firewall-policy" shows its answer although the diagnosis does not need it', () => {
  const { preconditions } = told('tls-genuine', intercepted(), [INSPECTS]);
  const shown = preconditions.find(({ id }) => id === 'firewall-policy');
  expect(shown?.summary).toContain('Policy 12');
  expect(shown?.summary).toContain('Genuine TLS');
});
