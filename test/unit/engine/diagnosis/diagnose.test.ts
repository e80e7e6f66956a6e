import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Assessment, Finding } from '../../../../src/engine/model.ts';
import { diagnose } from '../../../../src/engine/diagnose.ts';
import { CHECKS, FAULT_IDS, preconditionOf, type FaultId } from '../../../../src/checks/registry.ts';
import { CONTEXT, finding, judgedRound, TARGET } from '../../../support/checks/judged-round.ts';

/** Returns a summary of the diagnosis of a round. */
function outcome(assessments: readonly Assessment[]) {
  const { ready, causes, preconditions } = diagnose(assessments, CONTEXT);
  const inState = (state: string) => preconditions.filter((status) => status.state === state).map(({ id }) => id);
  return {
    ready,
    causes: causes.map(({ id, severity }) => `${severity} ${id}`),
    broken: inState('broken'),
    blocked: inState('blocked'),
  };
}

describe('diagnose()', () => {
  test('has evidence in proportion to what is broken, not to its square', () => {
    const many = Array.from({ length: 1_000 }, (_, index) => index);
    const services = many.map((index) => finding('tls-intercepted', { subject: `service-${String(index)}.test:443` }));
    const complaints = many.map((index) => finding('polling-failing', { subject: `fac-${String(index)}` }));
    const { causes } = diagnose(
      judgedRound(['tls-genuine', [finding('tls-intercepted'), ...services]], ['polling', complaints]),
      CONTEXT,
    );
    expect(causes).toHaveLength(1_001);
    expect(Math.max(...causes.map(({ evidence }) => evidence.length))).toBe(21);
    const warnings = services.map((service): Finding => ({ ...service, level: 'warning', suggests: 'tls-blocked' }));
    const alike = services.map((service): Finding => ({ ...service, level: 'warning' }));
    const one = diagnose(
      judgedRound(['tls-genuine', [finding('tls-intercepted'), ...alike]], ['polling', complaints]),
      CONTEXT,
    );
    expect(one.causes.map(({ evidence }) => evidence.length)).toEqual([1 + 20 + 20]);
    const mild = diagnose(
      judgedRound(['tls-genuine', [finding('tls-intercepted'), ...warnings]], ['polling', complaints]),
      CONTEXT,
    );
    expect(mild.causes.map(({ evidence }) => evidence.length).toSorted((a, b) => b - a)).toEqual([
      21,
      ...many.map(() => 1),
    ]);
  });

  test('does not believe an HTTP answer behind an intercepted handshake', () => {
    const intercepted = finding('tls-intercepted', { facts: { product: 'Fortinet FortiGate' } });
    const [cause, ...others] = diagnose(judgedRound(['tls-genuine', [intercepted]]), CONTEXT).causes;
    expect(others).toEqual([]);
    expect(cause).toMatchObject({
      id: 'tls-intercepted',
      product: 'Fortinet FortiGate',
      confidence: 'confirmed',
      subject: TARGET,
      summary: expect.stringContaining('Fortinet FortiGate'),
      consequences: ['license-server'],
    });
    expect(cause?.remedy[0]).toContain('FortiGate');
  });

  test('lets one good address prove the way when another resolver lies', () => {
    const result = outcome(
      judgedRound(['name-resolution', [finding('answer-hijacked', { subject: 'udp://10.0.0.53:53' })]]),
    );
    expect(result).toEqual({
      ready: 'not-ready',
      causes: ['critical answer-hijacked'],
      broken: ['name-resolution'],
      blocked: [],
    });
  });

  test('makes one cause of several resolvers that fail, the false answer first', () => {
    const result = diagnose(
      judgedRound([
        'name-resolution',
        [
          finding('resolver-unreachable', { subject: 'udp://10.0.0.53:53' }),
          finding('answer-hijacked', { subject: 'system', facts: { resolver: 'system', address: '10.1.2.3' } }),
        ],
      ]),
      CONTEXT,
    );
    expect(result.causes.map(({ id }) => id)).toEqual(['answer-hijacked']);
    expect(result.causes[0]?.evidence).toHaveLength(2);
  });

  test('blames the proxy where the way leads through one', () => {
    const through = (findings: readonly Finding[]) =>
      diagnose(
        judgedRound(['reachability', findings]).map((own) =>
          own.id === 'name-resolution' ? { ...own, delegate: { checkedBy: 'reachability', name: 'the proxy' } } : own,
        ),
        CONTEXT,
      );
    const { causes, preconditions } = through([
      finding('egress-blocked', { kind: 'through-proxy', facts: { proxy: '10.0.0.8:3128' } }),
    ]);
    expect(preconditions.find(({ id }) => id === 'name-resolution')).toMatchObject({
      state: 'blocked',
      blockedBy: ['reachability'],
      summary: expect.stringMatching(/ the proxy$/u),
    });
    expect(through([]).preconditions.find(({ id }) => id === 'name-resolution')?.state).toBe('ok');
    expect(causes[0]?.consequences).toContain('name-resolution');
    expect(causes[0]?.summary).toContain('10.0.0.8:3128');
    expect(causes[0]?.remedy[0]).toContain('-x http://10.0.0.8:3128');
  });

  test.each<[FaultId, Partial<Finding>, boolean]>([
    ['tls-intercepted', { facts: { proxy: '10.0.0.8:3128', product: 'Fortinet FortiGate' } }, true],
    ['tls-interception-suspected', { facts: { proxy: '10.0.0.8:3128' } }, true],
    ['tls-blocked', { kind: 'name-filtered', facts: { proxy: '10.0.0.8:3128' } }, true],
    ['tls-intercepted', { facts: { product: 'Fortinet FortiGate' } }, false],
    ['certificate-broken', { facts: { proxy: '10.0.0.8:3128', judgement: 'It has expired' } }, false],
  ])('%s inside a tunnel is looked for at the proxy first: %j', (id, more, isTold) => {
    const [cause] = diagnose(judgedRound(['tls-genuine', [finding(id, more)]]), CONTEXT).causes;
    expect(cause?.summary.includes('The connection uses the proxy 10.0.0.8:3128.')).toBe(isTold);
    expect(cause?.remedy[0]?.includes('The proxy 10.0.0.8:3128')).toBe(isTold);
    expect(cause?.remedy.join('').includes('-proxy 10.0.0.8:3128')).toBe(isTold);
  });

  test('makes a cause of each mail server that fails', () => {
    const failing = ['a.example:25', 'b.example:25'].map((subject) => finding('mail-recipient-rejected', { subject }));
    expect(outcome(judgedRound(['mail', failing])).causes).toEqual([
      'critical mail-recipient-rejected',
      'critical mail-recipient-rejected',
    ]);
  });

  test('prefers the advice of a finding to what the catalogue says', () => {
    const advice = { summary: 'A former member.', remedy: ['Remove it from {appliance}.'] };
    const stale = finding('license-not-registered', { level: 'warning', advice, facts: { appliance: 'fac-1' } });
    const { causes, ready } = diagnose(judgedRound(['polling', [stale]]), CONTEXT);
    expect(ready).toBe('ready');
    expect(causes).toMatchObject([
      { severity: 'warning', summary: 'A former member.', remedy: ['Remove it from fac-1.'] },
    ]);
  });

  test('keeps warnings and notes from breaking anything', () => {
    const result = outcome(
      judgedRound(
        ['reachability', [finding('egress-partly-blocked', { level: 'warning' })]],
        ['tls-genuine', [finding('certificate-rotated', { level: 'note' })]],
        ['internet', [finding(null, { level: 'note' })]],
      ),
    );
    expect(result).toEqual({
      ready: 'ready',
      causes: ['warning egress-partly-blocked', 'info certificate-rotated'],
      broken: [],
      blocked: [],
    });
  });

  test('holds for any findings: causes are never blocked, blockers are broken, every broken one is told', () => {
    const anyFinding = fc
      .tuple(
        fc.constantFrom<FaultId>(...FAULT_IDS),
        fc.constantFrom('broken' as const, 'warning' as const, 'note' as const),
      )
      .map(([suggests, level]) => finding(suggests, { level }));
    fc.assert(
      fc.property(fc.array(anyFinding, { maxLength: 12 }), (findings) => {
        const assessments = CHECKS.map(
          ({ id }): Assessment => ({
            id,
            kind: 'judged',
            findings: findings.filter(({ suggests }) => suggests !== null && preconditionOf(suggests) === id),
            summary: '',
          }),
        );
        const { ready, preconditions, causes } = diagnose(assessments, CONTEXT);
        const state = new Map(preconditions.map((status) => [status.id, status.state]));
        for (const cause of causes) expect(state.get(cause.precondition)).not.toBe('blocked');
        for (const { state: own, blockedBy, id } of preconditions) {
          expect(blockedBy.length > 0).toBe(own === 'blocked');
          for (const root of blockedBy) expect(state.get(root)).toBe('broken');
          expect(own !== 'broken' || causes.some(({ precondition }) => precondition === id)).toBe(true);
        }
        expect(ready).toBe([...state.values()].some((own) => own === 'broken') ? 'not-ready' : 'ready');
      }),
    );
  });
});
