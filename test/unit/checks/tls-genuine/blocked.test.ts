import { describe, expect, test } from 'vitest';
import { judgeTls } from '../../../../src/checks/tls-genuine/verdict.ts';
import type { CloserLook, TlsOutcome } from '../../../../src/core/observation.ts';
import { chainOf, established, failed } from '../../../support/certificates/chains.ts';
import { createWorld } from '../../../support/certificates/interception-world.ts';

const { evidence, server, genuine } = await createWorld();

const RESET = failed({ reason: 'reset', durationMs: 40 });
const EARLY_RESET = failed({ reason: 'reset', durationMs: 2 });
const SILENCE = failed({ reason: 'timeout', durationMs: 4000 });
const ALERT = failed({ reason: 'tls', alert: 'handshake_failure' });
const CALLED_OFF = failed({ reason: 'aborted' });
const PASSES = established(server, genuine.sub);
const CUT_LATER = failed({ reason: 'reset', chain: chainOf(server, genuine.sub) });

const NOTHING: CloserLook = {
  address: '173.243.138.84',
  again: null,
  otherName: null,
  refusable: null,
  controls: [],
};

/** The result with another server name, or with none. */
const other = (outcome: TlsOutcome, name: string | null = 'www.iana.org'): Partial<CloserLook> => ({
  otherName: { name, outcome },
});
const SILENT = { ...other(SILENCE), refusable: ALERT };

type Row = readonly [when: string, outcome: TlsOutcome, closer: Partial<CloserLook> | null, expected: string];

const ROWS: readonly Row[] = [
  ['a reset, and nobody looked closer', RESET, null, 'suspected'],
  ['a reset at once, and nobody looked closer', EARLY_RESET, null, 'answered-nearer confirmed'],
  ['a reset, and the closer look was called off', RESET, other(CALLED_OFF), 'suspected'],

  ['another name passes', RESET, other(PASSES), 'name-filtered suspected'],
  ['no name passes', SILENCE, other(PASSES, null), 'name-filtered suspected'],
  ['another name gets a certificate, then a reset', RESET, other(CUT_LATER), 'name-filtered suspected'],
  ['another name passes, own name cut early', EARLY_RESET, other(PASSES), 'name-filtered confirmed'],
  ['another name and later the own one pass', SILENCE, { ...other(PASSES), again: PASSES }, 'suspected'],
  ['another name passes, the own one never', SILENCE, { ...other(PASSES), again: SILENCE }, 'name-filtered suspected'],
  [
    'another name passes, and the server says that it does not know its own',
    failed({ reason: 'tls', alert: 'unrecognized_name' }),
    other(PASSES),
    'suspected',
  ],
  ['another name is cut too', RESET, other(RESET), 'suspected'],
  ['another name is cut too, a control host is not', RESET, { ...other(RESET), controls: [PASSES] }, 'suspected'],

  [
    'silence, for another name and from control hosts as well, and a small answer',
    SILENCE,
    { ...SILENT, again: SILENCE, controls: [SILENCE, SILENCE] },
    'large-answers-lost suspected',
  ],
  [
    'the same, but no small answer',
    SILENCE,
    { ...SILENT, refusable: SILENCE, controls: [SILENCE, SILENCE] },
    'all-tls-cut suspected',
  ],
  ['the same, but a control host passes', SILENCE, { ...SILENT, controls: [SILENCE, PASSES] }, 'suspected'],
  ['the same, but no control host', SILENCE, SILENT, 'suspected'],
  ['the same, but it passes now', SILENCE, { ...SILENT, again: PASSES, controls: [SILENCE] }, 'suspected'],
  [
    'the same, but another name was not asked',
    SILENCE,
    { refusable: ALERT, controls: [SILENCE, SILENCE] },
    'all-tls-cut suspected',
  ],
  ['silence, from the only control host as well', SILENCE, { ...other(SILENCE), controls: [SILENCE] }, 'suspected'],

  ['two control hosts cut as well', RESET, { ...other(RESET), controls: [RESET, ALERT] }, 'all-tls-cut confirmed'],
  ['one control host cut as well', RESET, { controls: [RESET] }, 'all-tls-cut suspected'],
  [
    'one control host cut as well, and small answers come',
    RESET,
    { ...other(RESET), refusable: ALERT, controls: [RESET] },
    'all-tls-cut suspected',
  ],
  ['a control host cut after its certificate', RESET, { controls: [RESET, CUT_LATER] }, 'suspected'],
  ['a control host silent, the server cut', RESET, { controls: [RESET, SILENCE] }, 'suspected'],
  ['control hosts called off', RESET, { controls: [RESET, CALLED_OFF] }, 'suspected'],

  ['early reset, once: it passes a moment later', EARLY_RESET, { again: PASSES }, 'answered-nearer confirmed'],
  [
    'early reset, once: it passes a moment later, as another name does',
    EARLY_RESET,
    { ...other(PASSES), again: PASSES },
    'answered-nearer confirmed',
  ],
  ['an early alert', failed({ reason: 'tls', alert: 'access_denied', durationMs: 1 }), {}, 'answered-nearer confirmed'],
  [
    'a reset within less than 0.6 of the round trip',
    failed({ reason: 'reset', durationMs: 11.9 }),
    {},
    'answered-nearer confirmed',
  ],
  [
    'a reset after as much of a round trip as a server may need',
    failed({ reason: 'reset', durationMs: 12 }),
    {},
    'suspected',
  ],
  ['silence that ends early, because the round does', failed({ reason: 'timeout', durationMs: 2 }), {}, 'suspected'],
];

describe('judgeTls() on a handshake that is blocked', () => {
  test.each(ROWS)('%s: $3', (_, outcome, closer, expected) => {
    const seen = evidence({
      outcome,
      roundTrip: 20,
      ...(closer === null ? {} : { closer: { ...NOTHING, ...closer } }),
    });
    const { verdict, confidence, findings } = judgeTls(seen);
    expect(verdict).toBe('blocked');
    // The cause takes kind and confidence from one finding, and the most certain finding comes first.
    expect(findings[0]?.rule).toBe('tls-handshake-answered');
    const told = findings.map((finding) => [finding.kind ?? [], finding.confidence].flat().join(' '));
    expect([...new Set(told)]).toEqual([expected]);
    expect(expected).toContain(confidence);
  });

  test('shows the name that passed as text only', () => {
    const closer = { ...NOTHING, ...other(PASSES, 'www.iana.org\u001B[31m') };
    const { findings } = judgeTls(evidence({ outcome: RESET, closer }));
    expect(findings.map(({ rule }) => rule)).toContain('server-name-makes-no-difference');
    expect(findings.map(({ claim }) => claim).join('')).toMatch(/^[ -~…]+$/u);
  });

  test.each([
    ['three networks', [1, 2, 3], null, ['broken other-networks-complete-tls']],
    ['two networks', [1, 1, 2], null, []],
    // The server may demand a client certificate.
    ['no network', [], null, []],
    ['a service that is busy', null, 'it is busy', ['note other-networks-answer']],
  ] as const)('adds that %s received a certificate, and is no more certain', (_, networks, trouble, expected) => {
    const probes = (networks ?? []).map((asn) => ({ asn, network: 'n', country: 'DE' }));
    const results = probes.map((probe) => ({ ...probe, fingerprint: 'AA', issuer: null, notAfter: null }));
    const certificate = networks === null ? null : { at: 0, results, answer: null };
    const outside = { certificate, reach: null, addresses: null, reachedAt: null, asking: [], trouble };
    const before = judgeTls(evidence({ outcome: RESET }));
    const { findings, ...after } = judgeTls(evidence({ outcome: RESET, outside }));
    expect({ ...after, findings: findings.slice(0, before.findings.length) }).toEqual(before);
    const more = findings.slice(before.findings.length);
    expect(more.map(({ level, rule }) => `${level} ${rule}`)).toEqual(expected);
  });
});
