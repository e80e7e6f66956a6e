import { describe, expect, test } from 'vitest';
import type { Assessment, PreconditionState, Finding } from '../../../../src/engine/model.ts';
import { diagnose } from '../../../../src/engine/diagnose.ts';
import { CHECKS, type PreconditionId } from '../../../../src/checks/registry.ts';
import { CONTEXT, finding, judgedRound, type Special } from '../../../support/checks/judged-round.ts';

function statusOf(id: PreconditionId, ...special: readonly Special[]) {
  const status = diagnose(judgedRound(...special), CONTEXT).preconditions.find((candidate) => candidate.id === id);
  return { state: status?.state, blockedBy: status?.blockedBy, summary: status?.summary };
}

const HIJACKED: Special = [
  'name-resolution',
  [finding('answer-hijacked', { facts: { resolver: '10.0.0.53', address: '10.1.2.3' } })],
];
const OFFLINE: Special = ['internet', [finding('internet-unreachable')]];
const BLOCKED: Special = ['reachability', [finding('egress-blocked')]];

const LOST = finding('mail-unreachable', { subject: 'mx:25' });
const OTHER = finding(null, { subject: 'mx:25' });
const NOTE = finding(null, { level: 'note', actual: 'this' });
const OPEN = finding(null, { level: 'unknown' });
const PARTLY = finding('egress-partly-blocked', { level: 'warning' });

describe('the state of a precondition', () => {
  const LOST_TEXT = diagnose(judgedRound(['mail', [LOST]]), CONTEXT).causes[0]?.summary ?? '';

  test.each<readonly [string, PreconditionId, readonly Special[], PreconditionState, string]>([
    ['ok', 'mail', [], 'ok', 'Everything works'],
    [
      'not configured, whatever was found',
      'mail',
      [['mail', [LOST], 'not-configured']],
      'not-configured',
      'Everything works',
    ],
    [
      'not configured, whatever is broken',
      'license-server',
      [BLOCKED, ['license-server', [], 'not-configured']],
      'not-configured',
      'Everything works',
    ],
    ['broken, in the words of its cause', 'mail', [['mail', [LOST]]], 'broken', LOST_TEXT],
    ['a warning, in the words of its cause', 'mail', [['mail', [{ ...LOST, level: 'warning' }]]], 'warning', LOST_TEXT],
    ['broken without a cause, as it was found', 'mail', [['mail', [NOTE, OTHER]]], 'broken', 'mx:25: that.'],
    [
      'a warning without a cause, as it was found',
      'mail',
      [['mail', [{ ...OTHER, level: 'warning' }]]],
      'warning',
      'mx:25: that.',
    ],
    ['broken beside what is unknown', 'mail', [['mail', [OPEN, OTHER]]], 'broken', 'mx:25: that.'],
    ['unknown, as it was found', 'mail', [['mail', [{ ...OTHER, level: 'unknown' }]]], 'unknown', 'mx:25: that.'],
    ['unknown without a finding', 'mail', [['mail', [], 'unjudged']], 'unknown', 'Everything works'],
    ['blocked by the one at the root', 'license-server', [BLOCKED], 'blocked', 'Skipped: depends on Reachability'],
    [
      'blocked by two',
      'tls-genuine',
      [HIJACKED, OFFLINE, ['reachability', [], 'unjudged']],
      'blocked',
      'Skipped: depends on Name resolution and Internet',
    ],
    [
      'a warning though a resolver lies: one good address proves the way',
      'reachability',
      [HIJACKED, ['reachability', [PARTLY]]],
      'warning',
      expect.stringContaining(':443'),
    ],
    [
      'blocked though an answer came: it proves nothing further up',
      'tls-genuine',
      [BLOCKED],
      'blocked',
      'Skipped: depends on Reachability',
    ],
  ])('%s', (_, ...[id, special, state, summary]) => {
    expect(statusOf(id, ...special)).toMatchObject({ state, summary });
  });

  test('is not configured where nothing was judged', () => {
    const { ready, preconditions } = diagnose([], CONTEXT);
    expect(ready).toBe('ready');
    expect(preconditions.map(({ id, state, blockedBy }) => [id, state, blockedBy])).toEqual(
      CHECKS.map(({ id }) => [id, 'not-configured', []]),
    );
  });
});

describe('the readiness', () => {
  const open = finding(null, { level: 'unknown' });
  test.each<readonly [string, string, readonly Special[]]>([
    ['ready', 'everything works', []],
    ['ready', 'the log is waited for', [['polling', [open]]]],
    ['unknown', 'the log could not be judged', [['polling', [], 'unjudged']]],
    [
      'unknown',
      'something else is open',
      [
        ['polling', [open]],
        ['tls-genuine', [open]],
      ],
    ],
    ['not-ready', 'the log complains', [['polling', [open, finding('polling-failing')]]]],
    ['not-ready', 'something else is broken', [['polling', [open]], BLOCKED]],
  ])('is %s where %s', (ready, _, special) => {
    const assessments = judgedRound(...special).map(
      (one): Assessment => (one.id === 'polling' && one.kind === 'judged' ? { ...one, waits: true } : one),
    );
    expect(diagnose(assessments, CONTEXT).ready).toBe(ready);
  });
});

describe.each(CHECKS)('$id', ({ id, countsForReady }) => {
  test.each<readonly [string, readonly Finding[], Assessment['kind'], string]>([
    ['unjudged', [], 'unjudged', 'unknown'],
    ['unknown', [finding(null, { level: 'unknown' })], 'judged', 'unknown'],
    ['broken', [finding(null)], 'judged', 'not-ready'],
  ])('counts for the readiness as declared while it is %s', (_, findings, kind, ready) => {
    const { preconditions, ready: seen } = diagnose(judgedRound([id, findings, kind]), CONTEXT);
    expect(seen).toBe(countsForReady ? ready : 'ready');
    expect(preconditions.some(({ state }) => state === 'broken')).toBe(countsForReady && ready === 'not-ready');
  });
});

const COMPLAINT = finding('polling-failing', { subject: 'fac-1', actual: 'SSL session failed' });
const LINE = 'fac-1: SSL session failed. Expected: this.';

describe('what FortiAuthenticator complains of', () => {
  test.each<readonly [PreconditionId, Finding]>([
    ['internet', finding('internet-unreachable')],
    ['name-resolution', finding('answer-hijacked', { subject: CONTEXT.host })],
    ['reachability', finding('egress-blocked')],
    ['tls-genuine', finding('tls-intercepted')],
    ['license-server', finding('license-server-down')],
    ['license-assignment', finding('license-on-peer')],
    ['firewall-policy', finding('policy-missing')],
  ])('is explained by %s, and stands there as evidence, once', (by, fault) => {
    const { causes } = diagnose(judgedRound([by, [fault]], ['polling', [COMPLAINT]]), CONTEXT);
    expect(causes.map(({ id, evidence }) => [id, evidence])).toEqual([
      [fault.suggests, ['that. Expected: this.', LINE]],
    ]);
    expect(statusOf('polling', [by, [fault]], ['polling', [COMPLAINT]])).toMatchObject({
      state: 'blocked',
      blockedBy: [by],
    });
  });

  test('that could not be judged is explained as well', () => {
    const open = finding(null, { subject: 'fac-1', level: 'unknown' });
    expect(statusOf('polling', BLOCKED, ['polling', [open]])).toMatchObject({
      state: 'blocked',
      blockedBy: ['reachability'],
    });
  });

  test.each<readonly [PreconditionId, Finding]>([
    ['mail', finding('mail-unreachable')],
    ['token-pool', finding('tokens-exhausted')],
    ['clock', finding('clock-skewed')],
  ])('is not explained by %s', (other, fault) => {
    expect(statusOf('polling', [other, [fault]], ['polling', [COMPLAINT]]).state).toBe('broken');
  });

  test('is evidence where it is a fault or a warning, and stays a warning by itself', () => {
    const warning: Finding = { ...COMPLAINT, level: 'warning', claim: 'a retry.' };
    const others = (['note', 'unknown'] as const).map((level): Finding => ({ ...COMPLAINT, level, suggests: null }));
    const { causes } = diagnose(judgedRound(BLOCKED, ['polling', [COMPLAINT, warning, ...others]]), CONTEXT);
    expect(causes.map(({ evidence }) => evidence)).toEqual([
      ['that. Expected: this.', LINE, 'fac-1: a retry. Expected: this.'],
    ]);
    expect(statusOf('polling', BLOCKED, ['polling', [warning]])).toMatchObject({ state: 'warning', blockedBy: [] });
    const suspected: Finding = { ...warning, confidence: 'suspected' };
    expect(statusOf('polling', BLOCKED, ['polling', [suspected]])).toMatchObject({
      state: 'blocked',
      blockedBy: ['reachability'],
    });
    const beside: readonly Finding[] = [warning, suspected];
    expect(statusOf('polling', BLOCKED, ['polling', beside])).toMatchObject({ state: 'blocked' });
    const noted: Finding = { ...suspected, level: 'note' };
    expect(statusOf('polling', BLOCKED, ['polling', [warning, noted]])).toMatchObject({ state: 'warning' });
    expect(statusOf('polling', BLOCKED, ['polling', [], 'unjudged'])).toMatchObject({
      state: 'unknown',
      blockedBy: [],
    });
  });

  test('has what is unclear on the path of this machine as evidence, five findings at most', () => {
    const open = finding(null, { level: 'unknown', actual: 'open' });
    const noted = finding(null, { level: 'note', actual: 'noted' });
    const warned = finding('egress-partly-blocked', { level: 'warning', actual: 'warned' });
    const seen = (...special: readonly Special[]) =>
      diagnose(judgedRound(['polling', [COMPLAINT]], ...special), CONTEXT)
        .causes.find(({ id }) => id === 'polling-failing')
        ?.evidence.map((line) =>
          line
            .replace(/\. Expected: .*$/u, '')
            .split(': ')
            .at(-1),
        );
    expect(seen(['tls-genuine', [open, noted]], ['reachability', [warned]])).toEqual([
      'SSL session failed',
      'warned',
      'open',
    ]);
    expect(seen(['tls-genuine', Array.from({ length: 9 }, () => open)])).toHaveLength(6);
  });
});
