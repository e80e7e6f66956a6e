import { describe, expect, test } from 'vitest';
import type { TlsEvidence, Verdict } from '../../src/checks/tls-genuine/chain-case.ts';
import { judgeTls } from '../../src/checks/tls-genuine/verdict.ts';
import type { Identity } from './authority.ts';
import { chainOf, established } from './chains.ts';

/** One chain with all that was seen around it, and what must come of it. */
export interface VerdictRow {
  readonly name: string;
  readonly seen: Partial<TlsEvidence>;
  readonly verdict: Verdict;
  /** @default none is named */
  readonly product?: string;
  /** One of the findings that must be told. */
  readonly rule?: string;
}

type Der = Pick<Identity, 'der'>;
type Reference = TlsEvidence['references'][number];

export const HOUR_MS: number = 60 * 60 * 1000;
export const PUBLIC: Partial<TlsEvidence> = {
  profile: 'public',
  target: 'push.fortinet.com:443',
  serverName: 'push.fortinet.com',
};
export const PINNED: Partial<TlsEvidence> = { profile: 'pinned' };

export function sees(...identities: readonly Der[]): Partial<TlsEvidence> {
  return { outcome: established(...identities) };
}

/** The same target looked at another way. */
export function reference(kind: Reference['kind'], ...identities: readonly Der[]): readonly Reference[] {
  return [
    {
      kind,
      label: kind === 'server-name' ? 'fortinet-ca2.fortinet.com' : 'udp://9.9.9.9:53',
      chain: chainOf(...identities),
    },
  ];
}

/** Leaves with these serials, ten minutes apart. */
export function recent(now: number, ...serials: readonly string[]): TlsEvidence['previous'] {
  return serials.map((serial, index) => ({ serial, pin: 'sha256/other', at: now - (index + 1) * 10 * 60 * 1000 }));
}

const CAUSES: Readonly<Record<Verdict, readonly string[]>> = {
  genuine: [],
  rotated: ['certificate-rotated'],
  'vendor-ca-changed': ['vendor-ca-changed'],
  intercepted: ['tls-intercepted'],
  'interception-suspected': ['tls-interception-suspected'],
  'certificate-broken': ['certificate-broken'],
  blocked: ['tls-blocked'],
  unknown: [],
};

/**
 * Judges every row: the verdict, the product, the findings, and that no other cause is suggested than the verdict's
 * own.
 */
export function describeVerdicts(
  what: string,
  rows: readonly VerdictRow[],
  evidence: (over: Partial<TlsEvidence>) => TlsEvidence,
): void {
  describe(`judgeTls() on ${what}`, () => {
    test.each(rows)('$verdict: $name', ({ seen, verdict, product, rule }) => {
      const judgement = judgeTls(evidence(seen));
      const suggested = judgement.findings.flatMap(({ suggests }) => suggests ?? []);
      expect({ verdict: judgement.verdict, product: judgement.product }, judgement.summary).toEqual({
        verdict,
        product: product ?? null,
      });
      expect(judgement.findings.map((finding) => finding.rule)).toEqual(
        expect.arrayContaining(rule === undefined ? [] : [rule]),
      );
      expect([...new Set(suggested)]).toEqual(CAUSES[verdict]);
      expect(judgement.summary).toMatch(/\S/u);
    });
  });
}
