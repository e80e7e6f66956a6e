import { describe, expect, test } from 'vitest';
import { diagnose } from '../../../../src/engine/diagnose.ts';
import { CONTEXT, finding, judgedRound, type Special, TARGET } from '../../../support/checks/judged-round.ts';

describe('diagnose() where something is left open', () => {
  test('calls the path of this machine clean only where every stage is ok', () => {
    const complaint = [
      'polling',
      [finding('polling-failing', { subject: 'fac-1', facts: { appliance: 'fac-1' } })],
    ] as const;
    const told = (...special: readonly Special[]) => diagnose(judgedRound(complaint, ...special), CONTEXT).causes.at(0);
    expect(told()?.remedy[0]).toContain('On the firewall of fac-1, look up');
    expect(told(['internet', [], 'not-configured'])?.remedy[0]).toContain('On the firewall of fac-1, look up');
    const unknown = told(['tls-genuine', [finding(null, { level: 'unknown', actual: 'a stranger issued it' })]]);
    expect(unknown).toMatchObject({
      id: 'polling-failing',
      summary:
        'fac-1: it logs FortiToken Mobile errors. The path from ftm-watch may also have a fault: Genuine TLS is ' +
        'unknown.',
    });
    expect(unknown?.remedy.join(' ')).not.toContain('is clean,');
    expect(unknown?.evidence.at(-1)).toContain('a stranger issued it');
    const warned = told(['reachability', [finding('egress-partly-blocked', { level: 'warning' })]]);
    expect(warned?.summary).toContain('Reachability has a warning');
    expect(told(['clock', [finding('clock-skewed', { level: 'warning' })]])?.remedy[0]).toContain(
      'On the firewall of fac-1, look up',
    );
  });

  test('does not speak of the path for another cause of the log', () => {
    const licence = finding('license-on-peer', { subject: 'fac-1' });
    const { causes } = diagnose(
      judgedRound(['tls-genuine', [finding(null, { level: 'unknown' })]], ['license-assignment', [licence]]),
      CONTEXT,
    );
    expect(causes[0]?.evidence).toHaveLength(1);
  });

  test('takes the confidence of the finding that decided, the certain one of two', () => {
    const confidences = (...findings: Parameters<typeof finding>[1][]) =>
      diagnose(
        judgedRound(['tls-genuine', findings.map((over) => finding('tls-intercepted', over))]),
        CONTEXT,
      ).causes.map(({ confidence }) => confidence);
    expect(confidences({})).toEqual(['confirmed']);
    expect(confidences({ confidence: 'suspected' })).toEqual(['suspected']);
    expect(confidences({ confidence: 'suspected' }, { confidence: 'confirmed' })).toEqual(['confirmed']);
    expect(confidences({ confidence: 'suspected' }, { level: 'warning' })).toEqual(['suspected']);
    expect(confidences({ confidence: 'suspected' }, { confidence: 'confirmed', unproven: true })).toEqual([
      'suspected',
    ]);
  });

  test('leaves a precondition unknown beside a warning that says why', () => {
    const open = finding(null, { level: 'unknown', actual: 'nobody can say' });
    const { causes, preconditions, ready } = diagnose(
      judgedRound(['tls-genuine', [finding('vendor-ca-changed', { level: 'warning', confidence: 'suspected' }), open]]),
      CONTEXT,
    );
    expect(causes).toMatchObject([{ id: 'vendor-ca-changed', severity: 'warning', confidence: 'suspected' }]);
    expect(ready).toBe('unknown');
    expect(preconditions.find(({ id }) => id === 'tls-genuine')).toMatchObject({
      state: 'unknown',
      summary: `${TARGET}: nobody can say.`,
    });
  });

  test('names an inspecting device that the catalogue does not know by its issuer', () => {
    const summaries = (facts: Parameters<typeof finding>[1]) =>
      diagnose(judgedRound(['tls-genuine', [finding('tls-intercepted', facts)]]), CONTEXT).causes[0];
    expect(summaries({ facts: { issuer: 'Contoso TLS 3' } })?.summary).toBe(
      `TLS to ${TARGET} is intercepted by "Contoso TLS 3", which is not in the product catalogue.`,
    );
    expect(summaries({ facts: { issuer: 'Contoso TLS 3' } })?.product).toBeNull();
    expect(summaries({ facts: { issuer: 'FG100', product: 'Fortinet FortiGate' } })?.summary).toContain(
      'by Fortinet FortiGate.',
    );
    expect(summaries({})?.summary).toContain('an inspecting device that is not in the product catalogue');
  });
});
