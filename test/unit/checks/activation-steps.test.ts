import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { activationOutlook, type ActivationOutlook, outlookSentence } from '../../../src/checks/activation-steps.ts';
import { CHECKS, FAULT_IDS, type FaultId, type PreconditionId } from '../../../src/checks/registry.ts';
import type { Assessment } from '../../../src/engine/model.ts';
import { diagnose } from '../../../src/engine/diagnose.ts';
import { CONTEXT, finding, judgedRound, type Special } from '../../support/checks/judged-round.ts';

function outlookOf(...parts: readonly Special[]): ActivationOutlook {
  return activationOutlook(diagnose(judgedRound(...parts), CONTEXT));
}

function preconditionOf(fault: FaultId): PreconditionId {
  const check = CHECKS.find(({ causes }) => Object.hasOwn(causes, fault));
  if (check === undefined) throw new Error(`No check has ${fault}`);
  return check.id;
}

function answers({ steps }: ActivationOutlook): Readonly<Record<string, string>> {
  return Object.fromEntries(steps.filter(({ answer }) => answer !== 'passes').map(({ id, answer }) => [id, answer]));
}

describe('activationOutlook()', () => {
  test('has the steps in their order, and of a clean path only the phone is not visible', () => {
    const outlook = outlookOf();
    expect(outlook.steps.map(({ id }) => id)).toEqual([
      'registration',
      'resolver',
      'connect',
      'tls',
      'license-server',
      'tokens',
      'provisioning',
      'code',
      'phone',
    ]);
    expect(answers(outlook)).toEqual({ phone: 'not-visible' });
    expect(outlook.answer).toBe('passes');
    expect(outlookSentence(outlook)).toContain('1 of 9 steps');
  });

  test('says for each step what it is, and what would show it where no check does', () => {
    const { steps } = activationOutlook({ ...diagnose(judgedRound(), CONTEXT), preconditions: [] });
    expect(steps).toHaveLength(9);
    for (const { title, remedy } of steps) {
      expect(title).toMatch(/^[A-Z].{20}/u);
      expect(remedy).toEqual([expect.stringMatching(/^[A-Z].{20,}\.$/u)]);
    }
  });

  test('tells once what several checks say in the same words', () => {
    const assessments = judgedRound().map((own) => ({ ...own, summary: 'Nothing is configured' }));
    const { steps } = activationOutlook(diagnose(assessments, CONTEXT));
    const times = steps.flatMap(({ why }) => why.match(/Nothing is configured/gu)?.length ?? []);
    expect(new Set(times)).toEqual(new Set([1]));
  });

  test('tells what several checks say in whole sentences', () => {
    const outlook = outlookOf();
    const assessments = judgedRound().map((own) => ({
      ...own,
      summary: own.id === 'mail' ? 'It answers.' : 'It works',
    }));
    const [why] = activationOutlook(diagnose(assessments, CONTEXT)).steps.flatMap(({ id, why: told }) =>
      id === 'code' ? [told] : [],
    );
    expect(why).toMatch(/^It (?:works|answers)\. It (?:works|answers)/u);
    expect(outlook.steps.map((step) => step.why).join('\n')).not.toContain('..');
  });

  test.for([
    ['license-on-peer', 'registration'],
    ['answer-hijacked', 'resolver'],
    ['internet-unreachable', 'connect'],
    ['egress-blocked', 'connect'],
    ['policy-missing', 'connect'],
    ['policy-inspects-traffic', 'tls'],
    ['tls-intercepted', 'tls'],
    ['license-server-down', 'license-server'],
    ['tokens-exhausted', 'tokens'],
    ['polling-failing', 'provisioning'],
    ['mail-unreachable', 'code'],
    ['sms-exhausted', 'code'],
    ['push-unreachable', 'phone'],
  ] satisfies readonly (readonly [FaultId, string])[])('%s fails at %s, and nowhere else', ([fault, step]) => {
    const outlook = outlookOf([preconditionOf(fault), [finding(fault)]]);
    expect(outlook.steps.filter(({ answer }) => answer === 'fails').map(({ id }) => id)).toEqual([step]);
    const failing = outlook.steps.find(({ id }) => id === step);
    expect(failing?.remedy.length).toBeGreaterThan(0);
    expect(outlookSentence(outlook)).toContain(failing?.why);
  });

  test('does not call passed what a fault before it hides', () => {
    expect(answers(outlookOf(['reachability', [finding('egress-blocked')]]))).toMatchObject({
      connect: 'fails',
      tls: 'not-visible',
      'license-server': 'not-visible',
    });
    // The requested policy does not exist, so it is unknown what the correct one inspects.
    expect(answers(outlookOf(['firewall-policy', [finding('policy-missing')]]))).toMatchObject({ tls: 'not-visible' });
  });

  test('says what would show a step that nothing looks at', () => {
    const { steps } = outlookOf(['mail', [], 'not-configured'], ['delivery', [], 'not-configured']);
    const code = steps.find(({ id }) => id === 'code');
    expect(code?.answer).toBe('not-visible');
    expect(code?.remedy).toEqual(['In "mail", list the mail servers that FortiAuthenticator uses.']);
  });

  test('a warning passes, and is told', () => {
    const outlook = outlookOf(['reachability', [finding('egress-partly-blocked', { level: 'warning' })]]);
    const connect = outlook.steps.find(({ id }) => id === 'connect');
    expect(connect?.answer).toBe('passes');
    expect(connect?.why).toContain('Some addresses');
  });

  test('never passes by what is unknown, and is never better than the diagnosis', () => {
    const anyFinding = fc
      .tuple(
        fc.constantFrom(...FAULT_IDS),
        fc.constantFrom('broken' as const, 'warning' as const, 'note' as const, 'unknown' as const),
      )
      .map(([suggests, level]) => ({ id: preconditionOf(suggests), found: finding(suggests, { level }) }));
    const anyKind = fc.constantFrom('judged' as const, 'unjudged' as const, 'not-configured' as const);
    fc.assert(
      fc.property(fc.array(anyFinding, { maxLength: 8 }), fc.array(anyKind, { minLength: 13 }), (findings, kinds) => {
        const assessments = CHECKS.map(({ id }, index): Assessment => {
          const own = findings.filter((one) => one.id === id).map(({ found }) => found);
          return { id, kind: own.length > 0 ? 'judged' : (kinds[index] ?? 'judged'), findings: own, summary: '' };
        });
        const diagnosis = diagnose(assessments, CONTEXT);
        const { answer, steps } = activationOutlook(diagnosis);
        for (const check of CHECKS.filter(({ countsForReady }) => countsForReady)) {
          const state = diagnosis.preconditions.find(({ id }) => id === check.id)?.state;
          const step = steps.find(({ id }) => id === check.step);
          const isSeen = state !== 'unknown' && state !== 'blocked';
          expect(isSeen || step?.answer !== 'passes').toBe(true);
        }
        expect(answer === 'passes').toBe(diagnosis.ready === 'ready');
        expect(steps.some((step) => step.answer === 'fails')).toBe(diagnosis.ready === 'not-ready');
      }),
    );
  });
});
