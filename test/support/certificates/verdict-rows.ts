import { describe, expect, test } from 'vitest';
import type { TlsEvidence, Verdict } from '../../../src/checks/tls-genuine/chain-case.ts';
import { judgeTls } from '../../../src/checks/tls-genuine/verdict.ts';
import type { Identity } from '../../../src/demo/lab/identity.ts';
import { chainOf, established } from './chains.ts';

/** A chain with all related observations, and the expected result. */
export interface VerdictRow {
  readonly name: string;
  readonly seen: Partial<TlsEvidence>;
  readonly verdict: Verdict;
  /** @default no product */
  readonly product?: string;
  /** One of the expected findings. */
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

/** Returns the same target as observed in a different way. */
export function reference(kind: Reference['kind'], ...identities: readonly Der[]): readonly Reference[] {
  return [
    {
      kind,
      label: kind === 'server-name' ? 'fortinet-ca2.fortinet.com' : 'udp://9.9.9.9:53',
      chain: chainOf(...identities),
    },
  ];
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

/** Tests every row: the verdict, the product, the findings, and that no cause other than the verdict's is suggested. */
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
