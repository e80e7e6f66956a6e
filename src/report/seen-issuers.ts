import { X509Certificate } from 'node:crypto';
import type { Verdict } from '../checks/tls-genuine/tls-evidence.ts';
import type { Certificate } from '../core/certificate.ts';
import type { EpochMs } from '../core/clock.ts';
import { formatDistinguishedName, shortName } from '../core/distinguished-name.ts';
import { isoTime } from '../core/instant-text.ts';
import { parseCertificate } from '../core/parse-certificate.ts';
import type { StoredHistory } from '../store/stored-history.ts';
import type { RoundResult } from './round-result.ts';

/** Who issued the certificates that a target showed, and from when to when: also those that it shows no more. */
export interface SeenIssuer {
  readonly target: string;
  /** What a person calls it. */
  readonly name: string;
  /** The whole name. */
  readonly issuer: string;
  /** How many different certificates. */
  readonly certificates: number;
  /** ISO 8601, UTC. */
  readonly firstSeen: string;
  readonly lastSeen: string;
  /** What this round says of one of them; null: it was not shown one. */
  readonly verdict: Verdict | null;
}

interface Sighting {
  readonly target: string;
  readonly leaf: Certificate;
  readonly firstSeen: EpochMs;
  readonly lastSeen: EpochMs;
  readonly verdict: Verdict | null;
}

/** By target and issuer, the issuer that was seen last first. */
export function seenIssuers(examination: RoundResult, history: StoredHistory): readonly SeenIssuer[] {
  const sightings = [...ofRound(examination), ...ofHistory(history)];
  const groups = Map.groupBy(sightings, ({ target, leaf }) => `${target}\n${formatDistinguishedName(leaf.issuer)}`);
  return [...groups.values()]
    .flatMap(merged)
    .toSorted((a, b) => a.target.localeCompare(b.target, 'en') || b.lastSeen.localeCompare(a.lastSeen, 'en'));
}

function ofRound({ judged, observations }: RoundResult): readonly Sighting[] {
  const at = observations.startedAt;
  return judged.tls.flatMap(({ path, judged: { endpoints } }) =>
    endpoints.flatMap(({ outcome, judgement }) => {
      const leaf = outcome.chain?.certificates[0];
      return leaf === undefined
        ? []
        : [{ target: path.subject, leaf, firstSeen: at, lastSeen: at, verdict: judgement.verdict }];
    }),
  );
}

function ofHistory(history: StoredHistory): readonly Sighting[] {
  if (history.kind !== 'read') return [];
  return history.certificates.flatMap(({ target, pem, firstSeen, lastSeen }) => {
    const leaf = readLeaf(pem);
    return leaf === null ? [] : [{ target, leaf, firstSeen, lastSeen, verdict: null }];
  });
}

/** Null for what a damaged file may hold. */
function readLeaf(pem: string): Certificate | null {
  try {
    return parseCertificate(new X509Certificate(pem).raw);
  } catch {
    return null;
  }
}

function merged(sightings: readonly Sighting[]): readonly SeenIssuer[] {
  const [first] = sightings;
  if (first === undefined) return [];
  const { target, leaf } = first;
  const issuer = formatDistinguishedName(leaf.issuer);
  return [
    {
      target,
      name: shortName(leaf.issuer) ?? issuer,
      issuer,
      certificates: new Set(sightings.map((one) => one.leaf.fingerprint)).size,
      firstSeen: isoTime(Math.min(...sightings.map((one) => one.firstSeen))),
      lastSeen: isoTime(Math.max(...sightings.map((one) => one.lastSeen))),
      verdict: sightings.find(({ verdict }) => verdict !== null)?.verdict ?? null,
    },
  ];
}
