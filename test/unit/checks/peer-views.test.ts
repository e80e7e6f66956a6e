import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CHECKS } from '../../../src/checks/registry.ts';
import type { DnsReply } from '../../../src/core/observation.ts';
import type { PeerCause, PeerObservation, PeerView } from '../../../src/core/round.ts';
import type { Diagnosis, Finding } from '../../../src/engine/model.ts';
import { diagnose } from '../../../src/engine/diagnose.ts';
import { CONTEXT, finding, TARGET } from '../../support/checks/judged-round.ts';
import { factsOf, response, type Shown, shown } from '../../support/checks/facts.ts';
import { failed, picture } from '../../support/checks/observed.ts';
import { configOf } from '../../support/config/config-of.ts';

const config = await configOf('site: hq');

const INTERCEPTED: PeerCause = {
  id: 'tls-intercepted',
  precondition: 'tls-genuine',
  confidence: 'confirmed',
  severity: 'critical',
  subject: TARGET,
  product: 'Fortinet FortiGate',
  summary: `TLS to ${TARGET} is intercepted by Fortinet FortiGate.`,
};

function seen(more: Partial<PeerView> = {}): PeerView {
  const causes = more.causes ?? [];
  const stateOf = (id: string): string => (causes.some(({ precondition }) => precondition === id) ? 'broken' : 'ok');
  return {
    kind: 'seen',
    peer: 'dmz',
    at: CONTEXT.at,
    preconditions: CHECKS.map(({ id }) => ({
      id,
      state: stateOf(id),
      isHearsay: false,
      seesNoFault: stateOf(id) === 'ok',
    })),
    causes,
    ...more,
  };
}

const PUSH_INTERCEPTED = finding('tls-intercepted', {
  subject: 'push.fortinet.com:443',
  level: 'warning',
  facts: { host: 'push.fortinet.com', port: '443' },
});

/** The fault was reported to this peer by one of its own peers. */
const HEARSAY = { id: 'tls-genuine', state: 'broken', isHearsay: true, seesNoFault: true };

const SILENT: PeerObservation = {
  kind: 'failed',
  peer: 'dmz',
  reason: 'timeout',
  message: 'No answer within 10 s',
  durationMs: 10_000,
};

function diagnosed(peers: readonly PeerObservation[], own: Shown = {}): Diagnosis {
  const facts = factsOf({ config, round: shown(own), picture: picture({ peers }) });
  return diagnose(
    CHECKS.map((check) => ({ id: check.id, ...check.judge(facts) })),
    CONTEXT,
  );
}

describe('what a peer sees', () => {
  test('and this machine does not is proven, and named', () => {
    const { ready, causes } = diagnosed([seen({ causes: [INTERCEPTED] })]);
    expect(ready).toBe('not-ready');
    expect(causes).toMatchObject([
      { id: 'tls-intercepted', confidence: 'confirmed', severity: 'critical', product: 'Fortinet FortiGate' },
    ]);
  });

  test.each<[string, Partial<PeerCause>, Diagnosis['ready']]>([
    ['only suspects', { confidence: 'suspected' }, 'unknown'],
    ['has as a warning', { severity: 'warning' }, 'unknown'],
    ['proves', {}, 'not-ready'],
  ])('and this machine could not judge stays unjudged: the peer %s it', (_, more, ready) => {
    const diagnosis = diagnosed([seen({ causes: [{ ...INTERCEPTED, ...more }] })], { tls: null });
    expect(diagnosis).toMatchObject({ ready, causes: [{ id: 'tls-intercepted' }] });
    expect(diagnosed([seen()], { tls: null })).toMatchObject({ ready: 'unknown', causes: [] });
  });

  test('and only suspects is a warning', () => {
    const { ready, causes } = diagnosed([seen({ causes: [{ ...INTERCEPTED, confidence: 'suspected' }] })]);
    expect(ready).toBe('ready');
    expect(causes).toMatchObject([{ severity: 'warning', confidence: 'suspected' }]);
  });

  test('as well excludes this machine', () => {
    const diagnosis = diagnosed([seen({ causes: [INTERCEPTED] })], { tls: [finding('tls-intercepted')] });
    expect(diagnosis.causes).toHaveLength(1);
    expect(diagnosis.causes[0]?.evidence.join('\n')).toMatch(/2026-11-24 13:00:00 UTC.* dmz /u);
  });

  const elsewhere: readonly Finding[] = [
    finding('vendor-ca-changed', { level: 'warning' }),
    PUSH_INTERCEPTED,
    finding('tls-intercepted'),
  ];

  test.each<[string, Partial<PeerView>, boolean]>([
    ['by its own check', {}, true],
    ['although its peer told it otherwise', { preconditions: [HEARSAY] }, true],
    ['or not for certain', { preconditions: [{ ...HEARSAY, state: 'unknown', seesNoFault: false }] }, false],
    ['or does not say', { preconditions: [] }, false],
  ])('not at all %s stays a fault here, and is evidence of it: %j', (_, view, isEvidence) => {
    const diagnosis = diagnosed([seen(view)], { tls: elsewhere });
    const cause = diagnosis.causes.find(({ subject, id }) => subject === TARGET && id === 'tls-intercepted');
    expect(diagnosis.ready).toBe('not-ready');
    expect(cause?.evidence.join('\n').includes(' dmz ')).toBe(isEvidence);
    expect(cause).toMatchObject({ severity: 'critical', confidence: 'confirmed' });
  });

  test('of a resolver is compared as well', () => {
    const silence: DnsReply = { kind: 'failed', reason: 'timeout', message: '', durationMs: 3000, attempts: 2 };
    const names = [{ resolver: 'udp://10.0.0.53:53', name: CONTEXT.host, a: silence, aaaa: silence }];
    const [cause] = diagnosed([seen()], { names }).causes;
    expect(cause?.evidence.join('\n')).toContain(' dmz ');
  });

  test('of a service is not compared: it may not be configured there', () => {
    const [cause] = diagnosed([seen()], { tls: [PUSH_INTERCEPTED] }).causes;
    expect(cause).toMatchObject({ id: 'tls-intercepted', severity: 'warning' });
    expect(cause?.evidence.join('\n')).not.toContain('dmz');
  });

  test.for([
    ['by the word of its own peer', { preconditions: [HEARSAY] }],
    ['of another server', { causes: [{ ...INTERCEPTED, subject: 'push.fortinet.com:443' }] }],
    ['that no check here knows', { causes: [{ ...INTERCEPTED, id: 'tls-is-purple' }] }],
    ['beside the path', { causes: [{ ...INTERCEPTED, id: 'mail-unreachable', precondition: 'mail' }] }],
  ] satisfies readonly (readonly [string, Partial<PeerView>])[])('%s says nothing', ([, view]) => {
    expect(diagnosed([seen({ causes: [INTERCEPTED], ...view })])).toMatchObject({ ready: 'ready', causes: [] });
  });
});

test('a silent peer is unknown, and nobody’s fault', () => {
  const diagnosis = diagnosed([SILENT]);
  expect(diagnosis).toMatchObject({ ready: 'ready', causes: [] });
  expect(diagnosis.preconditions.flatMap(({ findings }) => findings.map(({ level }) => level))).toEqual(['note']);
});

test('whatever peers say, the verdict of this machine gets no better', () => {
  const anyCause = fc.record({
    id: fc.constantFrom('tls-intercepted', 'egress-blocked', 'answer-hijacked', 'license-server-down', 'nothing'),
    precondition: fc.constantFrom('tls-genuine', 'reachability', 'name-resolution', 'license-server'),
    confidence: fc.constantFrom('confirmed' as const, 'suspected' as const),
    severity: fc.constantFrom('critical' as const, 'warning' as const, 'info' as const),
    subject: fc.constantFrom(TARGET, CONTEXT.host, 'other.test:443'),
    product: fc.constant(null),
    summary: fc.string(),
  });
  const anyPeer = fc.oneof(
    fc.constant(SILENT),
    fc.array(anyCause, { maxLength: 3 }).map((causes) => seen({ causes })),
  );
  const anyOwn = fc.subarray(['egress-blocked', 'tls-intercepted', 'license-server-down'] as const);
  const shows: Readonly<Record<'egress-blocked' | 'tls-intercepted' | 'license-server-down', Shown>> = {
    'egress-blocked': { port: failed('timeout') },
    'tls-intercepted': { tls: [finding('tls-intercepted')] },
    'license-server-down': { http: response(503) },
  };
  fc.assert(
    fc.property(fc.array(anyPeer, { maxLength: 3 }), anyOwn, (peers, faults) => {
      const own = faults.reduce<Shown>((all, fault) => ({ ...all, ...shows[fault] }), {});
      const [alone, together] = [diagnosed([], own), diagnosed(peers, own)];
      expect(alone.ready === 'ready' || together.ready === alone.ready).toBe(true);
      const told = together.preconditions.filter(({ state }) => state === 'broken' || state === 'blocked');
      const broken = alone.preconditions.filter(({ state }) => state === 'broken' || state === 'blocked');
      expect(told.map(({ id }) => id)).toEqual(expect.arrayContaining(broken.map(({ id }) => id)));
    }),
  );
});
