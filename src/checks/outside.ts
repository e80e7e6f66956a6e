import type { Certificate } from '../core/certificate.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import {
  countriesOf,
  FEWEST_NETWORKS,
  networksOf,
  type OutsideMeasurement,
  type OutsideProbe,
  type OutsideView,
} from '../core/outside.ts';
import { nameList } from '../core/visible-text.ts';
import type { Finding } from '../engine/model.ts';
import { withMoreSaid } from '../engine/words.ts';

/**
 * What other networks are presented, compared with a certificate that this site received.
 * - `same`: all of them are presented the same certificate as this site, so nothing near this site replaces it
 * - `other`: all of them are presented one certificate, and this site another
 * - `disagree`: they are presented several certificates, so the server has several, and nothing follows
 */
export type LeafComparison =
  | { readonly kind: 'same' | 'disagree'; readonly seenBy: string }
  | { readonly kind: 'other'; readonly seenBy: string; readonly issuer: string | null };

/** Returns null if fewer than three networks received a certificate. */
export function compareLeaf(
  seen: OutsideMeasurement<'certificate'> | null,
  { fingerprint }: Pick<Certificate, 'fingerprint'>,
): LeafComparison | null {
  if (seen === null || networksOf(seen.results) < FEWEST_NETWORKS) return null;
  const [first, ...others] = [...new Map(seen.results.map((leaf) => [leaf.fingerprint, leaf])).values()];
  const seenBy = otherNetworks(seen.results);
  if (first === undefined || others.length > 0) return { kind: 'disagree', seenBy };
  return first.fingerprint === fingerprint ? { kind: 'same', seenBy } : { kind: 'other', seenBy, issuer: first.issuer };
}

/** For example `5 other networks (DE, US)`. */
export function otherNetworks(probes: readonly OutsideProbe[]): string {
  return `${String(networksOf(probes))} other networks (${nameList(countriesOf(probes), MOST_COUNTRIES)})`;
}

const MOST_COUNTRIES = 6;

/** Probes try this once a day while the server can be reached, so that a later failure means something. */
const PROVEN_FOR: Millis = 2 * 86_400_000;

/**
 * Adds to a suspected block of the licence server's port whether other networks reach it. If none does, although they
 * did within the last two days, the server is down. If any does, it is not.
 */
export function withReachElsewhere({ reach, reachedAt }: OutsideView, now: EpochMs): (finding: Finding) => Finding {
  if (reach === null || networksOf(reach.results) < FEWEST_NETWORKS) return (finding) => finding;
  const reached = reach.results.filter((probe) => probe.reached);
  const isProven = reachedAt !== null && now - reachedAt < PROVEN_FOR;
  return (finding) => {
    if (!isSuspectedBlock(finding)) return finding;
    if (reached.length === 0)
      return isProven && !AFFECTS_OTHERS.includes(finding.kind)
        ? {
            ...withMoreSaid(finding, '. Neither do ', `${otherNetworks(reach.results)}, which reached it before`),
            suggests: 'license-server-down',
            kind: 'down-everywhere',
            confidence: 'confirmed',
          }
        : finding;
    return {
      ...withMoreSaid(finding, '. At the same time, ', `${shareOf(reached, reach.results)} reach it`),
      suggests: 'egress-blocked',
      ...(AFFECTS_OTHERS.includes(finding.kind) ? {} : { kind: 'reached-elsewhere' }),
    };
  };
}

/** Unrelated hosts are affected as well, so this site has a fault of its own. */
const AFFECTS_OTHERS: readonly (string | undefined)[] = ['all-refused', 'no-answer-from-any'];

function isSuspectedBlock({ rule, level, suggests, confidence }: Finding): boolean {
  return (
    rule === 'port-open' &&
    level === 'broken' &&
    confidence === 'suspected' &&
    (suggests === 'egress-blocked' || suggests === 'license-server-down')
  );
}

/** For example `4 of 5 other networks (DE, US)`. */
function shareOf(reached: readonly OutsideProbe[], asked: readonly OutsideProbe[]): string {
  return `${String(networksOf(reached))} of ${otherNetworks(asked)}`;
}

/** Adds what resolvers elsewhere answer. A difference alone proves nothing, because answers can depend on the place. */
export function withAnswersElsewhere({ addresses }: OutsideView): <F extends Finding>(finding: F) => F {
  if (addresses === null || networksOf(addresses.results) < FEWEST_NETWORKS) return (finding) => finding;
  const seen = [...new Set(addresses.results.flatMap((answer) => answer.addresses))].toSorted();
  const what = seen.length === 0 ? 'no address' : nameList(seen, MOST_ADDRESSES);
  return (finding) =>
    finding.level === 'broken' || finding.level === 'warning'
      ? withMoreSaid(finding, '. Resolvers in ', `${otherNetworks(addresses.results)} return ${what}`)
      : finding;
}

const MOST_ADDRESSES = 4;
