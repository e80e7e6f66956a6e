import type { Certificate } from '../core/certificate.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import {
  countriesOf,
  FEWEST_NETWORKS,
  networksOf,
  type OutsideKind,
  type OutsideMeasurement,
  type OutsideProbe,
  type OutsideView,
} from '../core/outside.ts';
import { nameList } from '../core/visible-text.ts';
import { type Finding, type FindingText, isFault, note } from '../engine/model.ts';
import { withMoreSaid } from '../engine/words.ts';
import { affectsUnrelatedHosts } from './reachability/causes.ts';

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

/** Other networks are asked once a day while this site reaches the server. Allows for one missed day. */
const PROVEN_FOR: Millis = 2 * 86_400_000;

/**
 * Adds to a suspected block of the licence server's port whether other networks reach it. If none does, although they
 * did within the last two days, the server is down. If three do, it is not.
 * @param subject the licence server. Services are not measured
 */
export function withReachElsewhere(
  findings: readonly Finding[],
  view: OutsideView,
  { subject, now }: { readonly subject: string; readonly now: EpochMs },
): readonly Finding[] {
  const isDoubted = (finding: Finding): boolean => finding.subject === subject && isSuspectedBlock(finding);
  if (!findings.some(isDoubted)) return findings;
  const { reach, reachedAt } = view;
  if (reach === null || networksOf(reach.results) < FEWEST_NETWORKS)
    return [...findings, ...notAsked(view, 'reach').map((told) => note({ ...told, subject }))];
  // A time in the future is from before this machine's clock was set back.
  const isProven = reachedAt !== null && reachedAt <= now && now - reachedAt < PROVEN_FOR;
  return findings.map((finding) => (isDoubted(finding) ? reachedOrNot(finding, reach, isProven) : finding));
}

/** @param isProven whether networks elsewhere reached the server while this site did */
function reachedOrNot(finding: Finding, { results }: OutsideMeasurement<'reach'>, isProven: boolean): Finding {
  const reached = results.filter((probe) => probe.reached);
  const affectsOthers = affectsUnrelatedHosts(finding);
  if (reached.length > 0) {
    const told = withMoreSaid(finding, '. At the same time, ', `${shareOf(reached, results)} reach it`);
    // A few networks may be near a server that still works, or behind something that answers in its place.
    if (networksOf(reached) < FEWEST_NETWORKS) return told;
    return { ...told, suggests: 'egress-blocked', ...(affectsOthers ? {} : { kind: 'reached-elsewhere' }) };
  }
  return isProven && !affectsOthers
    ? {
        ...withMoreSaid(finding, '. ', `${otherNetworks(results)} do not reach it either, although they did before`),
        suggests: 'license-server-down',
        kind: 'down-everywhere',
        confidence: 'confirmed',
      }
    : finding;
}

/** The reason why it is not known what other networks see. Empty if they were not asked. */
export function notAsked({ trouble, ...seen }: OutsideView, kind: OutsideKind): readonly FindingText[] {
  if (trouble === null || seen[kind] !== null) return [];
  return [
    {
      rule: 'other-networks-answer',
      claim: `Other networks could not be asked: ${trouble}.`,
      expected: 'An answer from other networks',
    },
  ];
}

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
export function withAnswersElsewhere(
  findings: readonly Finding[],
  view: OutsideView,
  subject: string,
): readonly Finding[] {
  if (!findings.some(isFault)) return findings;
  const { addresses } = view;
  if (addresses === null || networksOf(addresses.results) < FEWEST_NETWORKS)
    return [...findings, ...notAsked(view, 'addresses').map((told) => note({ ...told, subject }))];
  const seen = [...new Set(addresses.results.flatMap((answer) => answer.addresses))].toSorted();
  const what = seen.length === 0 ? 'no address' : nameList(seen, MOST_ADDRESSES);
  const more = `${otherNetworks(addresses.results)} return ${what}`;
  return findings.map((finding) => (isFault(finding) ? withMoreSaid(finding, '. Resolvers in ', more) : finding));
}

const MOST_ADDRESSES = 4;
