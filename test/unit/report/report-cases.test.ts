import { describe, expect, test } from 'vitest';
import type { Cause } from '../../../src/engine/model.ts';
import { diagnosisToJson } from '../../../src/checks/diagnosis-json.ts';
import { lasts, reportCases, type ReportCase } from '../../../src/report/report-cases.ts';
import type { SeenIssuer } from '../../../src/report/seen.ts';
import type { Incident } from '../../../src/engine/incident/incident.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { incidentOf } from '../../support/notify/outbox-entry-of.ts';

const AT = Date.parse('2026-11-24T13:00:00Z');
const NOW = new Date(AT).toISOString();
const INTERCEPTED = causeOf('tls-intercepted');

function at(hour: number): string {
  return new Date(AT - (13 - hour) * 3_600_000).toISOString();
}

function incident(cause: Cause, since: string, closedAt: string | null): Incident {
  const begin = Date.parse(since);
  return {
    ...incidentOf(cause),
    id: `i-${since}`,
    status: closedAt === null ? 'open' : 'closed',
    since: begin,
    openedAt: begin,
    lastSeen: begin,
    closedAt: closedAt === null ? null : Date.parse(closedAt),
  };
}

function issuer(more: Partial<SeenIssuer> = {}): SeenIssuer {
  const target = INTERCEPTED.subject;
  return {
    target,
    name: 'FG100F',
    issuer: 'CN=FG100F',
    certificates: 1,
    firstSeen: at(9),
    lastSeen: at(10),
    verdict: null,
    ...more,
  };
}

interface Given {
  readonly causes?: readonly Cause[];
  readonly incidents?: readonly Incident[];
  readonly issuers?: readonly SeenIssuer[];
  readonly until?: string;
  readonly states?: Parameters<typeof diagnosisOf>[2];
}

function cases({ causes = [], incidents = [], issuers = [], until = NOW, states = {} }: Given): readonly ReportCase[] {
  return reportCases({
    check: diagnosisToJson(diagnosisOf(AT, causes, states)),
    incidents,
    issuers,
    period: { since: null, until },
  });
}

describe('the cases of a report', () => {
  test('of a fault that lasts begin with its incident', () => {
    const [one] = cases({ causes: [INTERCEPTED], incidents: [incident(INTERCEPTED, at(9), null)] });
    expect(one?.spans).toMatchObject([{ since: at(9), until: null, gone: false, incident: `i-${at(9)}` }]);
  });

  test('of a fault without an incident begin with the round', () => {
    const [one] = cases({ causes: [INTERCEPTED], incidents: [incident(INTERCEPTED, at(7), at(8))] });
    expect(one?.spans).toMatchObject([
      { since: NOW, until: null, incident: null },
      { since: at(7), until: at(8), incident: `i-${at(7)}` },
    ]);
  });

  test('of a fault that is over are there after the repair', () => {
    const [one, ...others] = cases({ incidents: [incident(INTERCEPTED, at(9), at(10))] });
    expect(one).toMatchObject({ cause: INTERCEPTED, spans: [{ since: at(9), until: at(10) }] });
    expect(others).toEqual([]);
  });

  test('of a fault that came back are there each time by itself, if within the period', () => {
    const again = { ...incident(INTERCEPTED, at(11), at(12)), earlier: [incident(INTERCEPTED, at(9), at(10))] };
    const [one] = cases({ incidents: [again] });
    expect(one?.spans.map(({ since, until }) => [since, until])).toEqual([
      [at(11), at(12)],
      [at(9), at(10)],
    ]);
    expect(cases({ incidents: [again], until: at(10) })[0]?.spans.map(({ since }) => since)).toEqual([at(9)]);
  });

  test('of an open incident that this report does not see any more say so', () => {
    const [one] = cases({ incidents: [incident(INTERCEPTED, at(9), null)] });
    expect(one?.spans).toMatchObject([{ since: at(9), until: null, gone: true }]);
    expect(one !== undefined && lasts(one)).toBe(false);
    const unknown = { 'tls-genuine': 'unknown' } as const;
    const [unjudged] = cases({ incidents: [incident(INTERCEPTED, at(9), null)], states: unknown });
    expect(unjudged !== undefined && lasts(unjudged)).toBe(true);
  });

  test('are one for each cause and subject, with the words of the last time', () => {
    const before = causeOf('tls-intercepted', { evidence: ['of before'] });
    const elsewhere = causeOf('tls-intercepted', { subject: 'other:443' });
    const incidents = [
      incident(INTERCEPTED, at(11), at(12)),
      incident(elsewhere, at(10), at(11)),
      incident(before, at(8), at(9)),
    ];
    const found = cases({ incidents });
    expect(found.map(({ cause, spans }) => [cause, spans.length])).toEqual([
      [INTERCEPTED, 2],
      [elsewhere, 1],
    ]);
  });

  test('begin with what lasts, then with what is gravest, then with what is latest', () => {
    const warning = causeOf('mail-slow', { severity: 'warning' });
    const mail = causeOf('mail-unreachable');
    const incidents = [
      incident(causeOf('license-expired'), at(12), at(12)),
      incident(mail, at(11), at(12)),
      incident(causeOf('tls-blocked', { severity: 'warning' }), at(12), at(12)),
    ];
    expect(cases({ causes: [warning], incidents }).map(({ cause }) => cause.id)).toEqual([
      'mail-slow',
      'license-expired',
      'mail-unreachable',
      'tls-blocked',
    ]);
  });

  test('have nothing of now when the period was over before', () => {
    expect(cases({ causes: [INTERCEPTED], until: at(12) })).toEqual([]);
    const [one] = cases({
      causes: [INTERCEPTED],
      incidents: [incident(INTERCEPTED, at(9), null)],
      until: at(12),
    });
    expect(one !== undefined && lasts(one)).toBe(true);
  });

  test('name who issued the certificates of their time, but nobody who is genuine', () => {
    const issuers = [
      issuer({ name: 'gateway' }),
      issuer({ name: 'genuine', firstSeen: at(1), lastSeen: at(13), verdict: 'genuine' }),
      issuer({ name: 'of before', firstSeen: at(1), lastSeen: at(8) }),
      issuer({ name: 'of after', firstSeen: at(11), lastSeen: at(13) }),
      issuer({ name: 'of another', target: 'other:443' }),
    ];
    const [one] = cases({ incidents: [incident(INTERCEPTED, at(9), at(10))], issuers });
    expect(one?.issuers.map(({ name }) => name)).toEqual(['gateway']);
  });

  test('of another kind have no certificates for evidence', () => {
    const down = causeOf('license-server-down');
    const [one] = cases({ incidents: [incident(down, at(9), at(10))], issuers: [issuer()] });
    expect(one?.issuers).toEqual([]);
  });
});
