import { isOlderInspected } from '../checks/tls-genuine/judge-older-tls.ts';
import { judgeTlsPath } from '../checks/tls-genuine/judge-path.ts';
import type { CapturedChain, Certificate } from '../core/certificate.ts';
import {
  type BlockedOutcome,
  endingOf,
  type EndpointObservation,
  isBlocked,
  type TlsOutcome,
} from '../core/observation.ts';
import type { PathObservation, ReferenceObservation, VersionSeries } from '../core/round.ts';
import { createProbeSecureContext } from '../network/tls/secure-context.ts';
import { type EndpointRequest, observeEndpoint } from './endpoint.ts';
import type { Look } from './instruments.ts';
import { type PathTarget, requestOf } from './path.ts';

/**
 * If a check is due, checks the licence server with TLS 1.2, at the first address that supports TLS 1.3. While the two
 * versions have different results, a check is due in each round, so that a repair is detected immediately.
 *
 * @param isComplained whether FortiAuthenticator's log reports failed connections
 */
export async function observeOlderTls(
  target: PathTarget,
  path: PathObservation,
  look: Look,
  isComplained: boolean,
): Promise<readonly ReferenceObservation[]> {
  const [newer] = path.endpoints.flatMap(inNewerTls);
  if (newer === undefined || look.ctx.signal.aborted) return [];
  const { olderTls } = look.memory;
  const before = olderTls.last();
  const isDisputed = before !== null && isOlderDisputed(path, before, look);
  if (olderTls.isDue(newer.leaf.fingerprint, { isComplained, isDisputed })) {
    const seen = await lookOnce(target, newer, look);
    if (seen === null || !isOlderDisputed(path, seen, look)) olderTls.keep(seen);
    // The results of an earlier series of connections are kept while each check has the same result.
    else olderTls.keep({ ...seen, again: (isDisputed && before.again) || (await lookInTurns(seen, target, look)) });
  } else olderTls.age();
  const last = olderTls.last();
  return last === null ? [] : [last];
}

/**
 * TLS versions of four further connections. With the two previous connections, each version is used three times. The
 * order does not alternate. Otherwise, a fault that affects every second connection could look like a difference
 * between the versions.
 */
const TURNS = ['older', 'newer', 'newer', 'older'] as const;

async function lookInTurns(
  { label, outcome: first }: ReferenceObservation,
  target: PathTarget,
  look: Look,
): Promise<VersionSeries> {
  const take = (version: (typeof TURNS)[number]): Promise<TlsOutcome | null> =>
    dial(target, label, version === 'older' ? inOlderTls(look) : look);
  // If the first connection had no response, the others are made concurrently, because consecutive time-outs would take
  // too long for a round.
  const isSilent = isBlocked(first) && endingOf(first) === 'silence';
  const outcomes: (TlsOutcome | null)[] = isSilent ? await Promise.all(TURNS.map(take)) : [];
  if (!isSilent) for (const version of TURNS) outcomes.push(await take(version));
  const seenIn = (wanted: (typeof TURNS)[number]): readonly TlsOutcome[] =>
    outcomes.filter((outcome, index): outcome is TlsOutcome => outcome !== null && TURNS[index] === wanted);
  return { older: seenIn('older'), newer: seenIn('newer') };
}

/** Reports whether TLS 1.2 was inspected or blocked while TLS 1.3 is currently neither inspected nor blocked. */
function isOlderDisputed(path: PathObservation, older: ReferenceObservation, look: Look): boolean {
  const seen = { ...path, references: [older] };
  const surroundings = { controls: [], now: look.clock.now() };
  const knowledge = look.knowledge.of(path.subject);
  const tls = judgeTlsPath(seen, knowledge, surroundings);
  return isOlderInspected({ path: seen, tls, knowledge, surroundings });
}

function inOlderTls(look: Look): Look {
  return { ...look, endpoint: { ...look.endpoint, secureContext: createProbeSecureContext('TLSv1.2') } };
}

async function dial(target: PathTarget, address: string, { endpoint, limiter, ctx }: Look): Promise<TlsOutcome | null> {
  const request: EndpointRequest = { ...requestOf(target, address), depth: 'tls' };
  const { tls } = await limiter
    .run(() => observeEndpoint(request, ctx, endpoint), ctx.signal)
    .catch((): Pick<EndpointObservation, 'tls'> => ({ tls: null }));
  return tls;
}

interface NewerTls {
  readonly address: string;
  readonly leaf: Certificate;
  readonly chain: CapturedChain;
}

function inNewerTls({ address, tls }: EndpointObservation): readonly NewerTls[] {
  const leaf = tls?.chain?.certificates[0];
  if (tls === null || tls.kind === 'failed' || tls.protocol !== 'TLSv1.3' || leaf === undefined) return [];
  return [{ address, leaf, chain: tls.chain }];
}

/**
 * Connects once with TLS 1.2. Returns null if the result is inconclusive, for example if the server rejects TLS 1.2.
 */
async function lookOnce(
  target: PathTarget,
  { address, chain }: NewerTls,
  look: Look,
): Promise<ReferenceObservation | null> {
  const outcome = await dial(target, address, inOlderTls(look));
  return outcome !== null && (outcome.chain !== null || isCut(outcome))
    ? { kind: 'tls-1.2', label: address, isFresh: true, outcome, beside: chain }
    : null;
}

/**
 * Reports whether the connection was closed without a response. An alert counts as a response, because a server sends
 * an alert if it does not support TLS 1.2.
 */
function isCut(outcome: TlsOutcome): outcome is BlockedOutcome {
  return (
    isBlocked(outcome) &&
    outcome.alert === null &&
    (outcome.plaintext !== null || ['reset', 'closed', 'timeout'].includes(outcome.reason))
  );
}
