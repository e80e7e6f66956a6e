import type { CapturedChain, Certificate } from '../core/certificate.ts';
import type { Clock, EpochMs, Millis } from '../core/clock.ts';
import {
  type BlockedOutcome,
  endingOf,
  isBlocked,
  type EndpointObservation,
  type TlsOutcome,
} from '../core/observation.ts';
import type { PathObservation, ReferenceObservation, VersionSeries } from '../core/round.ts';
import type { ProbeContext } from '../network/context.ts';
import { observeEndpoint, type EndpointRequest } from './endpoint.ts';
import { createProbeSecureContext } from '../network/tls/secure-context.ts';
import { requestOf, type PathTarget, type PathTools } from './path.ts';

const HOUR: Millis = 3_600_000;

/** While FortiAuthenticator complains, and for chains that change with each connection. */
const LEAST_GAP: Millis = 300_000;

/**
 * What the licence server showed in TLS 1.2, where it speaks TLS 1.3 as well: some devices inspect or cut the older one
 * alone.
 */
export interface OlderTls {
  /** Whether to look again; counts as looked. */
  isDue(leaf: string, why: { readonly isComplained: boolean; readonly isDisputed: boolean }): boolean;
  /** As the last look showed it: it stands until the next one. */
  last(): ReferenceObservation | null;
  /** What the last look showed is of an earlier round now. */
  age(): void;
  keep(seen: ReferenceObservation | null): void;
}

export function createOlderTls({ now }: Pick<Clock, 'now'>): OlderTls {
  let looked: { readonly at: EpochMs; readonly leaf: string } | null = null;
  let last: ReferenceObservation | null = null;
  return {
    last: () => last,
    keep: (seen) => {
      last = seen;
    },
    age: () => {
      last = last === null ? null : { ...last, isFresh: false };
    },
    isDue: (leaf, { isComplained, isDisputed }) => {
      const age = looked === null ? Number.POSITIVE_INFINITY : now() - looked.at;
      const isDue =
        isDisputed || age >= HOUR || age < 0 || (age >= LEAST_GAP && (isComplained || leaf !== looked?.leaf));
      if (isDue) looked = { at: now(), leaf };
      return isDue;
    },
  };
}

export interface OlderTlsTools extends PathTools {
  readonly olderTls: OlderTls;
  /** FortiAuthenticator's log tells of connections that do not come about. */
  readonly isComplained: boolean;
  /** Whether TLS 1.2 was inspected or cut, and TLS 1.3 is neither now. */
  readonly isOlderDisputed: (path: PathObservation, older: ReferenceObservation) => boolean;
}

/**
 * The licence server in TLS 1.2, when it is due: one connection, to the first address that spoke TLS 1.3. As long as
 * the versions differ, it is due in each round, so that a repair is seen at once.
 */
export async function observeOlderTls(
  target: PathTarget,
  path: PathObservation,
  tools: OlderTlsTools,
  ctx: ProbeContext,
): Promise<readonly ReferenceObservation[]> {
  const [newer] = path.endpoints.flatMap(inNewerTls);
  if (newer === undefined || ctx.signal.aborted) return [];
  const { olderTls, isComplained, isOlderDisputed } = tools;
  const before = olderTls.last();
  const isDisputed = before !== null && isOlderDisputed(path, before);
  if (olderTls.isDue(newer.leaf.fingerprint, { isComplained, isDisputed })) {
    const seen = await look(target, newer, tools, ctx);
    if (seen === null || !isOlderDisputed(path, seen)) olderTls.keep(seen);
    // What the series of an earlier round showed stands as long as each look agrees.
    else
      olderTls.keep({ ...seen, again: (isDisputed && before.again) || (await lookInTurns(seen, target, tools, ctx)) });
  } else olderTls.age();
  const last = olderTls.last();
  return last === null ? [] : [last];
}

/**
 * With the two connections before them three of each version. Their order is no simple one, so that a path that treats
 * every second connection alike is not taken for one that treats the versions differently.
 */
const TURNS = ['older', 'newer', 'newer', 'older'] as const;

async function lookInTurns(
  { label, outcome: first }: ReferenceObservation,
  target: PathTarget,
  tools: PathTools,
  ctx: ProbeContext,
): Promise<VersionSeries> {
  const lookOnce = (version: (typeof TURNS)[number]): Promise<TlsOutcome | null> =>
    dial(target, label, version === 'older' ? olderDeps(tools) : tools, ctx);
  // One after the other, silence would outlast the round.
  const isSilent = isBlocked(first) && endingOf(first) === 'silence';
  const outcomes: (TlsOutcome | null)[] = isSilent ? await Promise.all(TURNS.map(lookOnce)) : [];
  if (!isSilent) for (const version of TURNS) outcomes.push(await lookOnce(version));
  const seenIn = (wanted: (typeof TURNS)[number]): readonly TlsOutcome[] =>
    outcomes.filter((outcome, index): outcome is TlsOutcome => outcome !== null && TURNS[index] === wanted);
  return { older: seenIn('older'), newer: seenIn('newer') };
}

function olderDeps(tools: PathTools): PathTools {
  return { ...tools, endpoint: { ...tools.endpoint, secureContext: createProbeSecureContext('TLSv1.2') } };
}

async function dial(
  target: PathTarget,
  address: string,
  { endpoint, limiter }: PathTools,
  ctx: ProbeContext,
): Promise<TlsOutcome | null> {
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

/** Null where nothing is known: a server need not speak this version, and says so. */
async function look(
  target: PathTarget,
  { address, chain }: NewerTls,
  tools: PathTools,
  ctx: ProbeContext,
): Promise<ReferenceObservation | null> {
  const outcome = await dial(target, address, olderDeps(tools), ctx);
  return outcome !== null && (outcome.chain !== null || isCut(outcome))
    ? { kind: 'tls-1.2', label: address, isFresh: true, outcome, beside: chain }
    : null;
}

/** Somebody ended it without an answer: an alert would be one, and the server may send it for want of this version. */
function isCut(outcome: TlsOutcome): outcome is BlockedOutcome {
  return (
    isBlocked(outcome) &&
    outcome.alert === null &&
    (outcome.plaintext !== null || ['reset', 'closed', 'timeout'].includes(outcome.reason))
  );
}
