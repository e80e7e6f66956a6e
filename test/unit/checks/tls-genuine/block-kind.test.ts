import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { CloserLook } from '../../../../src/core/closer-look.ts';
import type { TlsOutcome } from '../../../../src/core/observation.ts';
import { BLOCK_RULES } from '../../../../src/checks/tls-genuine/block-kind.ts';
import { judgeTls } from '../../../../src/checks/tls-genuine/verdict.ts';
import { chainOf, established, failed } from '../../../support/chains.ts';
import { createCast } from '../../../support/verdict-cast.ts';

const { evidence, server, genuine } = await createCast();

const RESET = failed({ reason: 'reset', durationMs: 40 });
const EARLY_RESET = failed({ reason: 'reset', durationMs: 2 });
const SILENCE = failed({ reason: 'timeout', durationMs: 4000 });
const ALERT = failed({ reason: 'tls', alert: 'handshake_failure' });
const CALLED_OFF = failed({ reason: 'aborted' });
const PASSES = established(server, genuine.sub);
const CUT_LATER = failed({ reason: 'reset', chain: chainOf(server, genuine.sub) });
const PAGE = failed({ reason: 'protocol', plaintext: 'HTTP/1.1 403 Forbidden\r\n\r\nWeb Page Blocked by FortiGuard' });

/** Of a server 20 ms away. */
const NOTHING: CloserLook = {
  address: '173.243.138.84',
  connects: [21, 20, 23, 22, 21, 22],
  stalledMs: 0,
  again: null,
  otherName: null,
  refusable: null,
  controls: [],
};

function other(outcome: TlsOutcome, name: string | null = 'www.iana.org'): Partial<CloserLook> {
  return { otherName: { name, outcome } };
}

interface Row {
  readonly when: string;
  readonly outcome: TlsOutcome;
  /** Null: nobody looked closer. */
  readonly closer: Partial<CloserLook> | null;
  readonly kind?: string;
  readonly confidence: 'confirmed' | 'suspected';
}

const ROWS: readonly Row[] = [
  { when: 'a reset, and nobody looked closer', outcome: RESET, closer: null, confidence: 'suspected' },
  {
    when: 'a reset, and the closer look was called off',
    outcome: RESET,
    closer: other(CALLED_OFF),
    confidence: 'suspected',
  },
  { when: 'a block page', outcome: PAGE, closer: null, kind: 'page-in-plain-text', confidence: 'confirmed' },

  {
    when: 'another name passes',
    outcome: RESET,
    closer: other(PASSES),
    kind: 'name-filtered',
    confidence: 'suspected',
  },
  {
    when: 'no name passes',
    outcome: SILENCE,
    closer: other(PASSES, null),
    kind: 'name-filtered',
    confidence: 'suspected',
  },
  {
    when: 'another name gets a certificate, then a reset',
    outcome: RESET,
    closer: other(CUT_LATER),
    kind: 'name-filtered',
    confidence: 'suspected',
  },
  {
    when: 'another name passes, own name cut early',
    outcome: EARLY_RESET,
    closer: other(PASSES),
    kind: 'name-filtered',
    confidence: 'confirmed',
  },
  {
    when: 'another name passes, and so does the own one a moment later',
    outcome: SILENCE,
    closer: { ...other(PASSES), again: PASSES },
    confidence: 'suspected',
  },
  {
    when: 'another name passes, and the own one is still blocked',
    outcome: SILENCE,
    closer: { ...other(PASSES), again: SILENCE },
    kind: 'name-filtered',
    confidence: 'suspected',
  },
  {
    when: 'another name passes, and the server says that it does not know its own',
    outcome: failed({ reason: 'tls', alert: 'unrecognized_name' }),
    closer: other(PASSES),
    confidence: 'suspected',
  },
  { when: 'another name is cut too', outcome: RESET, closer: other(RESET), confidence: 'suspected' },
  {
    when: 'another name is cut too, control hosts are not',
    outcome: RESET,
    closer: { ...other(RESET), controls: [PASSES] },
    confidence: 'suspected',
  },

  { when: 'an early reset', outcome: EARLY_RESET, closer: {}, kind: 'answered-nearer', confidence: 'confirmed' },
  {
    when: 'an early reset, once: it passes a moment later, as another name does',
    outcome: EARLY_RESET,
    closer: { ...other(PASSES), again: PASSES },
    kind: 'answered-nearer',
    confidence: 'confirmed',
  },
  {
    when: 'an early reset, once: it passes a moment later',
    outcome: EARLY_RESET,
    closer: { again: PASSES },
    kind: 'answered-nearer',
    confidence: 'confirmed',
  },
  {
    when: 'an early alert',
    outcome: failed({ reason: 'tls', alert: 'access_denied', durationMs: 1 }),
    closer: {},
    kind: 'answered-nearer',
    confidence: 'confirmed',
  },
  {
    when: 'an early reset, two SYNs of six repeated',
    outcome: EARLY_RESET,
    closer: { connects: [1021, 20, 23, 22, 21, 1022] },
    kind: 'answered-nearer',
    confidence: 'confirmed',
  },
  {
    when: 'an early reset, three SYNs of six repeated',
    outcome: EARLY_RESET,
    closer: { connects: [1021, 1020, 1022, 23, 22, 21] },
    confidence: 'suspected',
  },
  {
    when: 'an early reset, each SYN repeated',
    outcome: EARLY_RESET,
    closer: { connects: [1021, 1020, 1023, 3022, 1021, 1020] },
    confidence: 'suspected',
  },
  {
    when: 'an early reset, connects noticed late in the rush of the round',
    outcome: EARLY_RESET,
    closer: { connects: [180, 90, 60, 70, 2.5, 2.4] },
    confidence: 'suspected',
  },
  {
    when: 'an early reset, too few connects',
    outcome: EARLY_RESET,
    closer: { connects: [20, 21] },
    confidence: 'suspected',
  },
  {
    when: 'an early reset, three SYNs of six repeated after just a second',
    outcome: EARLY_RESET,
    closer: { connects: [1000, 1000, 1000, 23, 22, 21] },
    confidence: 'suspected',
  },
  {
    when: 'an early reset, the server as near as can be measured',
    outcome: EARLY_RESET,
    closer: { connects: [4, 4, 4, 4] },
    kind: 'answered-nearer',
    confidence: 'confirmed',
  },
  {
    when: 'a reset after just as much of a round trip as a server may need',
    outcome: failed({ reason: 'reset', durationMs: 12 }),
    closer: {},
    confidence: 'suspected',
  },
  { when: 'an early reset through a proxy', outcome: EARLY_RESET, closer: { connects: [] }, confidence: 'suspected' },
  {
    when: 'an early reset seen by a busy process',
    outcome: EARLY_RESET,
    closer: { stalledMs: 18 },
    confidence: 'suspected',
  },
  { when: 'a reset after a round trip', outcome: RESET, closer: {}, confidence: 'suspected' },
  {
    when: 'a reset from a server as near as the neighbour',
    outcome: failed({ reason: 'reset', durationMs: 0.2 }),
    closer: { connects: [1, 1, 1, 1, 1, 1] },
    confidence: 'suspected',
  },

  {
    when: 'silence, for another name and from control hosts as well, and a small answer',
    outcome: SILENCE,
    closer: { ...other(SILENCE), again: SILENCE, refusable: ALERT, controls: [SILENCE, SILENCE] },
    kind: 'large-answers-lost',
    confidence: 'suspected',
  },
  {
    when: 'the same, but no small answer',
    outcome: SILENCE,
    closer: { ...other(SILENCE), refusable: SILENCE, controls: [SILENCE, SILENCE] },
    kind: 'all-tls-cut',
    confidence: 'suspected',
  },
  {
    when: 'the same, but a control host passes',
    outcome: SILENCE,
    closer: { ...other(SILENCE), refusable: ALERT, controls: [SILENCE, PASSES] },
    confidence: 'suspected',
  },
  {
    when: 'the same, but no control host',
    outcome: SILENCE,
    closer: { ...other(SILENCE), refusable: ALERT },
    confidence: 'suspected',
  },
  {
    when: 'the same, but it passes now',
    outcome: SILENCE,
    closer: { ...other(SILENCE), again: PASSES, refusable: ALERT, controls: [SILENCE] },
    confidence: 'suspected',
  },
  {
    when: 'the same, but another name was not asked',
    outcome: SILENCE,
    closer: { refusable: ALERT, controls: [SILENCE] },
    kind: 'all-tls-cut',
    confidence: 'suspected',
  },

  {
    when: 'two control hosts cut as well',
    outcome: RESET,
    closer: { ...other(RESET), controls: [RESET, ALERT] },
    kind: 'all-tls-cut',
    confidence: 'confirmed',
  },
  {
    when: 'one control host cut as well',
    outcome: RESET,
    closer: { controls: [RESET] },
    kind: 'all-tls-cut',
    confidence: 'suspected',
  },
  {
    when: 'one control host cut as well, and small answers come',
    outcome: RESET,
    closer: { ...other(RESET), refusable: ALERT, controls: [RESET] },
    kind: 'all-tls-cut',
    confidence: 'suspected',
  },
  {
    when: 'a control host cut after its certificate',
    outcome: RESET,
    closer: { controls: [RESET, CUT_LATER] },
    confidence: 'suspected',
  },
  {
    when: 'a control host silent, the server cut',
    outcome: RESET,
    closer: { controls: [RESET, SILENCE] },
    confidence: 'suspected',
  },
  {
    when: 'control hosts called off',
    outcome: RESET,
    closer: { controls: [RESET, CALLED_OFF] },
    confidence: 'suspected',
  },
];

describe('judgeTls() on a handshake that is blocked', () => {
  test.each(ROWS)('when $when: $kind, $confidence', ({ outcome, closer, kind, confidence }) => {
    const { verdict, findings, ...judgement } = judgeTls(
      evidence({ outcome, ...(closer === null ? {} : { closer: { ...NOTHING, ...closer } }) }),
    );
    expect({ verdict, confidence: judgement.confidence }).toEqual({ verdict: 'blocked', confidence });
    // The cause takes both from one of the findings, and the surest goes first.
    expect(findings[0]?.rule).toBe('tls-handshake-answered');
    for (const finding of findings) expect([finding.kind, finding.confidence]).toEqual([kind, confidence]);
  });

  test('shows the name that passed, and as text only', () => {
    const closer = { ...NOTHING, ...other(PASSES, 'www.iana.org\u001B[31m') };
    const { findings } = judgeTls(evidence({ outcome: RESET, closer }));
    expect(findings.map(({ actual }) => actual).join('\n')).toMatch(/^[ -~\n…]+$/u);
    expect(findings[1]).toMatchObject({
      rule: 'server-name-makes-no-difference',
      actual: expect.stringContaining('www.iana.org'),
    });
  });

  test('lets its rules be read in docs/interception.md', () => {
    const text = readFileSync('docs/interception.md', 'utf8');
    const [, table = ''] = /<!-- blocks -->\n([^]*?)<!-- \/blocks -->/u.exec(text) ?? [];
    const rows = BLOCK_RULES.map(
      ({ when, kind, confidence }) => `| ${when} | ${kind === null ? 'not known' : `\`${kind}\``} | ${confidence} |`,
    );
    expect(table.trim().split('\n').slice(2)).toEqual(rows);
  });
});
