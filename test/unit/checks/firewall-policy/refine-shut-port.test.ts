import { describe, expect, test } from 'vitest';
import { diagnose } from '../../../../src/engine/diagnose.ts';
import { mayBePolicy, refineShutPort } from '../../../../src/checks/firewall-policy/judge.ts';
import { INTERMITTENT_RULE } from '../../../../src/checks/intermittent/finding.ts';
import type { Cause, Finding } from '../../../../src/engine/model.ts';
import { CONTEXT, finding, judgedRound, type Special } from '../../../support/checks/judged-round.ts';

const SILENT = finding('egress-blocked', { rule: 'port-open', confidence: 'suspected' });
/** Control hosts do not answer either. */
const ALL_SILENT: Finding = { ...SILENT, kind: 'no-answer-from-any' };
const ALL_REFUSED: Finding = { ...SILENT, kind: 'all-refused' };
const NEAR: Finding = { ...SILENT, kind: 'refused-nearer', confidence: 'confirmed' };
const PROXY = finding('egress-blocked', { rule: 'port-open', facts: { proxy: '10.0.0.8:3128' } });
/** Some connections work, so neither a policy nor the server is the cause. */
const INTERMITTENT: Finding = { ...SILENT, rule: INTERMITTENT_RULE };
const ONE_ADDRESS: Finding = { ...SILENT, level: 'warning' };
const OTHER: Finding = { ...SILENT, suggests: 'egress-partly-blocked' };
const SERVICE: Finding = { ...SILENT, subject: 'push.fortinet.com:443', facts: { host: 'push.fortinet.com' } };

const DENIES = finding('policy-missing', {
  rule: 'policy-allows',
  facts: { source: '10.0.0.5' },
});
const PARTLY: Finding = { ...DENIES, level: 'warning' };
const UNSEEN = finding(null, { rule: 'policy-allows', level: 'unknown' });
const INSPECTS = finding('policy-inspects-traffic', { rule: 'policy-leaves-tls-alone' });
const MUTE = finding(null, { rule: 'firewall-answers', level: 'unknown' });
const LOCKED = finding(null, { rule: 'firewall-accepts-token', level: 'unknown' });

function diagnosed(port: Finding, ...policy: readonly Special[]): readonly Cause[] {
  const [[, policies, kind] = ['firewall-policy', []]] = policy;
  const refine = kind === undefined ? refineShutPort(policies) : (one: Finding) => one;
  return diagnose(judgedRound(['reachability', [refine(port)]], ...policy), CONTEXT).causes;
}

function causes(port: Finding, ...policy: readonly Special[]) {
  return diagnosed(port, ...policy).map(({ id, confidence }) => `${id} ${confidence}`);
}

describe('a port that stays shut', () => {
  test.each<readonly [string, Finding, Special, readonly string[]]>([
    ['no firewall is configured', SILENT, ['firewall-policy', [], 'not-configured'], ['egress-blocked suspected']],
    ['the firewall was not asked yet', SILENT, ['firewall-policy', [], 'unjudged'], ['egress-blocked suspected']],
    ['the firewall does not answer', SILENT, ['firewall-policy', [MUTE]], ['egress-blocked suspected']],
    ['the token is refused', SILENT, ['firewall-policy', [LOCKED]], ['egress-blocked suspected']],
    ['its policy could not be looked up', SILENT, ['firewall-policy', [UNSEEN]], ['egress-blocked suspected']],
    [
      'one of two policies denies',
      SILENT,
      ['firewall-policy', [PARTLY]],
      ['egress-blocked suspected', 'policy-missing confirmed'],
    ],
    [
      'its policy accepts, but an address of several is concerned',
      ONE_ADDRESS,
      ['firewall-policy', []],
      ['egress-blocked suspected'],
    ],
    [
      'its policy accepts, but it is another fault',
      OTHER,
      ['firewall-policy', []],
      ['egress-partly-blocked suspected'],
    ],
    [
      'the policy of one unit denies',
      SILENT,
      ['firewall-policy', [{ ...DENIES, concerns: ['fac-1'] }]],
      ['egress-blocked suspected'],
    ],
    ['its policy denies', SILENT, ['firewall-policy', [DENIES]], ['egress-blocked confirmed']],
    ['its policy accepts', SILENT, ['firewall-policy', []], ['license-server-down suspected']],
    ['its policy denies, and nothing answers', ALL_SILENT, ['firewall-policy', [DENIES]], ['egress-blocked confirmed']],
    ['its policy denies, and all refuse', ALL_REFUSED, ['firewall-policy', [DENIES]], ['egress-blocked confirmed']],
    ['its policy accepts, but nothing answers', ALL_SILENT, ['firewall-policy', []], ['egress-blocked suspected']],
    ['its policy accepts, but all refuse', ALL_REFUSED, ['firewall-policy', []], ['egress-blocked suspected']],
    ['its policy accepts and inspects', SILENT, ['firewall-policy', [INSPECTS]], ['license-server-down suspected']],
    ['its policy accepts, but something near by refuses', NEAR, ['firewall-policy', []], ['egress-blocked confirmed']],
    [
      'its policy accepts, but the way leads through a proxy',
      PROXY,
      ['firewall-policy', []],
      ['egress-blocked confirmed'],
    ],
    [
      'its policy accepts, but some connections work',
      INTERMITTENT,
      ['firewall-policy', []],
      ['egress-blocked suspected'],
    ],
    ['its policy accepts, but it is about a service', SERVICE, ['firewall-policy', []], ['egress-blocked suspected']],
  ])('when %s', (_, port, policy, expected) => {
    expect(causes(port, policy)).toEqual(expected);
  });

  test.each<readonly [string, boolean, readonly Finding[]]>([
    ['one fault of several is a shut port', true, [OTHER, SILENT]],
    ['nobody at all answers', true, [ALL_SILENT]],
    ['all refuse', true, [ALL_REFUSED]],
    ['nothing is wrong', false, []],
    ['something near by refuses', false, [NEAR]],
    ['the way leads through a proxy', false, [PROXY]],
    ['a service is concerned', false, [SERVICE]],
    ['an address of several is concerned', false, [ONE_ADDRESS]],
    ['it is another fault', false, [OTHER]],
  ])('has the firewall asked or not: %s', (_, asks, findings) => {
    expect(findings.some(mayBePolicy)).toBe(asks);
  });

  test('names the policy that denies, as evidence', () => {
    expect(diagnosed(SILENT, ['firewall-policy', [DENIES]])[0]?.evidence).toHaveLength(2);
  });

  test('breaks reachability whichever of the two is suspected, and leaves both explanations in the remedy', () => {
    for (const policy of [
      ['firewall-policy', [], 'not-configured'],
      ['firewall-policy', []],
    ] as const) {
      const [cause] = diagnosed(SILENT, policy);
      expect(cause).toMatchObject({ precondition: 'reachability', consequences: ['tls-genuine', 'license-server'] });
      expect(cause?.remedy.join('\n')).toMatch(/firewall[^]*server is down|server is down[^]*firewall/u);
    }
  });
});
