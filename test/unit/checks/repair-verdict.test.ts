import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CHECKS, FAULT_IDS, type FaultId, preconditionOf } from '../../../src/checks/registry.ts';
import { type RepairVerdict, repairVerdict } from '../../../src/checks/repair-verdict.ts';
import type { FirewallFacts, SslInspectionMode } from '../../../src/core/firewall.ts';
import type { Assessment, Cause } from '../../../src/engine/model.ts';
import { diagnose } from '../../../src/engine/diagnose.ts';
import type { Incident } from '../../../src/engine/incident/incident.ts';
import { matched, NO_INSPECTION } from '../../support/checks/firewall-match.ts';
import { CONTEXT, finding, judgedRound, type Special, TARGET } from '../../support/checks/judged-round.ts';
import { incidentOf } from '../../support/notify/outbox-entry-of.ts';

type AfterRepair = Parameters<typeof repairVerdict>[1];

const FLOW = `10.0.0.5 to ${TARGET}`;
const INSPECTS = {
  subject: FLOW,
  rule: 'policy-leaves-tls-alone',
  claim: 'Policy 5 "out" uses SSL profile "deep", which inspects TLS and replaces the certificate.',
  describesPolicy: true,
} as const;
const NO_FIREWALL: Special = ['firewall-policy', [], 'not-configured'];

function firewallWith(id: number, mode: SslInspectionMode): FirewallFacts {
  return matched({ id, name: 'out' }, { ...NO_INSPECTION, profile: mode, mode }, { destination: TARGET });
}

function causeIn(...parts: readonly Special[]): Cause {
  const [cause] = diagnose(judgedRound(...parts), CONTEXT).causes;
  if (cause === undefined) throw new Error('No cause');
  return cause;
}

const INTERCEPTED = incidentOf(
  causeIn(
    ['tls-genuine', [finding('tls-intercepted')]],
    ['firewall-policy', [finding('policy-inspects-traffic', INSPECTS)]],
  ),
);

function after(parts: readonly Special[], more: Partial<AfterRepair> = {}): AfterRepair {
  return {
    diagnosis: diagnose(judgedRound(...parts), CONTEXT),
    firewall: [],
    isLookedAt: () => true,
    silent: [],
    ...more,
  };
}

function verdictOf(parts: readonly Special[], more: Partial<AfterRepair> = {}, incident = INTERCEPTED): RepairVerdict {
  return repairVerdict(incident, after(parts, more));
}

describe('repairVerdict()', () => {
  test('is in force when the cause is gone and the policy of now inspects nothing, and tells both policies', () => {
    const { policy, ...verdict } = verdictOf([], { firewall: [firewallWith(7, 'none')] });
    const told = { incident: INTERCEPTED.id, cause: 'tls-intercepted', subject: TARGET };
    expect(verdict).toMatchObject({ ...told, answer: 'in-force', next: null });
    expect(policy?.before).toBe(`${FLOW}: ${INSPECTS.claim}`);
    expect(policy?.now).toMatch(/Policy 7 "out".* "none"/u);
  });

  test('shows the policy of the opening if the firewall has not reported one since, and none if it never did', () => {
    const withoutReport = causeIn(['tls-genuine', [finding('tls-intercepted')]]);
    const openingPolicyReport = 'Policy 5 "out" inspects TLS.';
    const before = (more: Partial<Incident>): string | null | undefined =>
      verdictOf([], {}, { ...INTERCEPTED, cause: withoutReport, ...more }).policy?.before;
    expect(before({ openingPolicyReport })).toBe(openingPolicyReport);
    expect(before({ openingPolicyReport: null })).toBeNull();
  });

  test('is in force by the path alone where no firewall is configured', () => {
    expect(verdictOf([NO_FIREWALL])).toMatchObject({ answer: 'in-force', policy: null });
  });

  test('is not in force while the cause is seen, or seen again', () => {
    const seen: Special = ['tls-genuine', [finding('tls-intercepted')]];
    const closed: Incident = { ...INTERCEPTED, status: 'closed', closedAt: Date.UTC(2026, 10, 24, 14) };
    const next = causeIn(seen).remedy[0];
    expect(verdictOf([seen])).toMatchObject({ answer: 'not-in-force', next });
    const { answer, why } = verdictOf([seen], {}, closed);
    expect(answer).toBe('not-in-force');
    expect(why).toContain('2026-11-24T14:00:00Z');
  });

  test('is not in force while the firewall says that it inspects, although this machine sees nothing of it', () => {
    const inspects: Special = ['firewall-policy', [finding('policy-inspects-traffic', INSPECTS)]];
    const { answer, why, policy } = verdictOf([inspects], { firewall: [firewallWith(5, 'deep')] });
    expect(answer).toBe('not-in-force');
    expect(why).toContain(INSPECTS.claim.slice(0, 40));
    expect(policy?.now).toContain('Policy 5 "out"');
  });

  const elsewhere = finding('tls-blocked', { subject: 'push.example:443', facts: { host: 'push.example' } });
  const unknown = finding(null, { level: 'unknown', subject: '192.0.2.1', claim: 'No answer.' });

  test.each<[string, ...Special[]]>([
    ['the firewall does not answer', ['firewall-policy', [finding(null, { level: 'unknown' })]]],
    ['the firewall was not asked', ['firewall-policy', [], 'unjudged']],
    ['the path is broken before it', ['reachability', [finding('egress-blocked')]]],
    ['it is unjudged', ['tls-genuine', [], 'unjudged']],
    ['a part of it is unknown', ['tls-genuine', [finding(null, { level: 'unknown' })]]],
    ['it is not looked at', ['tls-genuine', [], 'not-configured']],
    ['one address is unknown, whatever else is broken', NO_FIREWALL, ['tls-genuine', [elsewhere, unknown]]],
  ])('is not visible where %s', (_, ...parts) => {
    expect(verdictOf(parts)).toMatchObject({ answer: 'not-visible', next: expect.any(String) });
  });

  test('is in force where only another server is broken', () => {
    expect(verdictOf([NO_FIREWALL, ['tls-genuine', [elsewhere]]])).toMatchObject({ answer: 'in-force' });
  });

  test('is not visible where its subject left the configuration, or who may have shown it is silent', () => {
    expect(verdictOf([], { isLookedAt: () => false })).toMatchObject({ answer: 'not-visible' });
    const silent = { of: ['tls-genuine'], why: 'The cause may have been detected in the log.' };
    expect(verdictOf([], { silent: [silent] })).toMatchObject({ answer: 'not-visible', why: silent.why });
    expect(verdictOf([], { silent: [{ ...silent, of: ['mail'] }] })).toMatchObject({ answer: 'in-force' });
  });

  test('of the policy itself, is not in force where none matches any more, and heeds no other address', () => {
    const incident = incidentOf(causeIn(['firewall-policy', [finding('policy-inspects-traffic', INSPECTS)]]));
    const missing = finding('policy-missing', { subject: FLOW });
    expect(verdictOf([['firewall-policy', [missing]]], {}, incident)).toMatchObject({ answer: 'not-in-force' });
    const elsewhere = finding('policy-missing', { subject: `10.0.0.6 to ${TARGET}` });
    expect(verdictOf([['firewall-policy', [elsewhere]]], {}, incident)).toMatchObject({ answer: 'in-force' });
  });

  test('is not in force while the same thing has another fault, or what it was taken for before', () => {
    expect(verdictOf([['tls-genuine', [finding('tls-blocked')]]]).answer).toBe('not-in-force');
    const before = causeIn(['license-server', [finding('license-server-down')]]);
    const [former] = [{ ...before, since: 0, until: 1, replacedAt: 1, published: true }];
    const incident = { ...INTERCEPTED, formerCauses: [former] };
    expect(verdictOf([['license-server', [finding('license-server-down')]]], {}, incident).answer).toBe('not-in-force');
  });

  test('of a mail server, heeds no firewall policy', () => {
    const incident = incidentOf(causeIn(['mail', [finding('mail-unreachable', { subject: 'mail:25' })]]));
    const inspected: Special = ['firewall-policy', [finding('policy-inspects-traffic', INSPECTS)]];
    expect(verdictOf([inspected], {}, incident)).toMatchObject({ answer: 'in-force', policy: null });
  });

  test('says so where it came back before', () => {
    const { why } = verdictOf([NO_FIREWALL], {}, { ...INTERCEPTED, returns: [1, 2] });
    expect(why).toContain(' 2 times ');
  });

  test('is never in force by what was not judged, nor while the cause is there', () => {
    const anyFinding = fc
      .tuple(
        fc.constantFrom(...FAULT_IDS),
        fc.constantFrom('broken' as const, 'warning' as const, 'note' as const, 'unknown' as const),
        fc.constantFrom(TARGET, FLOW),
      )
      .map(([suggests, level, subject]) => finding(suggests, { level, subject }));
    const anyKind = fc.constantFrom(
      'judged' as const,
      'judged' as const,
      'unjudged' as const,
      'not-configured' as const,
    );
    const anyFault: fc.Arbitrary<FaultId> = fc.constantFrom(...FAULT_IDS);
    const kinds = fc.array(anyKind, { minLength: CHECKS.length, maxLength: CHECKS.length });
    let inForce = 0;
    fc.assert(
      fc.property(anyFault, fc.array(anyFinding, { maxLength: 4 }), kinds, (fault, findings, ofEach) => {
        const incident = incidentOf(causeIn([preconditionIdOf(fault), [finding(fault)]]));
        const { precondition } = incident.cause;
        const assessments = CHECKS.map(({ id }, index): Assessment => {
          const own = findings.filter(({ suggests }) => suggests !== null && preconditionOf(suggests) === id);
          return { id, kind: own.length > 0 ? 'judged' : (ofEach[index] ?? 'judged'), findings: own, summary: '' };
        });
        const diagnosis = diagnose(assessments, CONTEXT);
        const seen: AfterRepair = { diagnosis, firewall: [], isLookedAt: () => true, silent: [] };
        if (repairVerdict(incident, seen).answer !== 'in-force') return;
        inForce += 1;
        const state = diagnosis.preconditions.find(({ id }) => id === precondition)?.state;
        expect(['unknown', 'blocked', 'not-configured']).not.toContain(state);
        expect(
          diagnosis.causes.filter(({ id, subject }) => id === fault && subject === incident.cause.subject),
        ).toEqual([]);
        const policy = diagnosis.preconditions.find(({ id }) => id === 'firewall-policy')?.state;
        expect(precondition !== 'tls-genuine' || policy === 'ok' || policy === 'not-configured').toBe(true);
      }),
    );
    expect(inForce).toBeGreaterThan(0);
  });
});

function preconditionIdOf(fault: FaultId): Special[0] {
  const check = CHECKS.find(({ causes }) => Object.hasOwn(causes, fault));
  if (check === undefined) throw new Error(`No check has ${fault}`);
  return check.id;
}
