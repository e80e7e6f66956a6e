import { describe, expect, test } from 'vitest';
import type { CloserLook, TlsOutcome } from '../../../src/core/observation.ts';
import { judgeTls } from '../../../src/checks/tls-genuine/verdict.ts';
import { chainOf, established, failed } from './chains.ts';
import { createCast } from './verdict-cast.ts';

const { evidence, server, genuine } = await createCast();

export const RESET: TlsOutcome = failed({ reason: 'reset', durationMs: 40 });
export const EARLY_RESET: TlsOutcome = failed({ reason: 'reset', durationMs: 2 });
export const SILENCE: TlsOutcome = failed({ reason: 'timeout', durationMs: 4000 });
export const ALERT: TlsOutcome = failed({ reason: 'tls', alert: 'handshake_failure' });
export const CALLED_OFF: TlsOutcome = failed({ reason: 'aborted' });
export const PASSES: TlsOutcome = established(server, genuine.sub);
export const CUT_LATER: TlsOutcome = failed({ reason: 'reset', chain: chainOf(server, genuine.sub) });
export const PAGE: TlsOutcome = failed({
  reason: 'protocol',
  plaintext: 'HTTP/1.1 403 Forbidden\r\n\r\nWeb Page Blocked by FortiGuard',
});

/** A server 20 ms away. */
export const NOTHING: CloserLook = {
  address: '173.243.138.84',
  connects: [21, 20, 23, 22, 21, 22],
  stalledMs: 0,
  again: null,
  otherName: null,
  refusable: null,
  controls: [],
};

/** Result for another server name, or for none. */
export function other(outcome: TlsOutcome, name: string | null = 'www.iana.org'): Partial<CloserLook> {
  return { otherName: { name, outcome } };
}

/** A failed handshake, and the results of the closer look. */
export interface BlockRow {
  readonly when: string;
  readonly outcome: TlsOutcome;
  /** null: there was no closer look. */
  readonly closer: Partial<CloserLook> | null;
  readonly kind?: string;
  readonly confidence: 'confirmed' | 'suspected';
}

/** Tests the kind and the confidence of every row. */
export function describeBlocks(rows: readonly BlockRow[]): void {
  describe('judgeTls() on a handshake that is blocked', () => {
    test.each(rows)('when $when: $kind, $confidence', ({ outcome, closer, kind, confidence }) => {
      const { verdict, findings, ...judgement } = judgeTls(
        evidence({ outcome, ...(closer === null ? {} : { closer: { ...NOTHING, ...closer } }) }),
      );
      expect({ verdict, confidence: judgement.confidence }).toEqual({ verdict: 'blocked', confidence });
      // The cause takes both from one finding, and the most certain finding comes first.
      expect(findings[0]?.rule).toBe('tls-handshake-answered');
      for (const finding of findings) expect([finding.kind, finding.confidence]).toEqual([kind, confidence]);
    });
  });
}
