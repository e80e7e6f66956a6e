import type { CapturedChain, Certificate } from '../../core/certificate.ts';
import type { Clock, EpochMs, Millis } from '../../core/clock.ts';
import type { EndpointObservation, TlsOutcome } from '../../core/observation.ts';
import type { PathObservation, ReferenceObservation, VersionSeries } from '../../core/round.ts';
import type { ProbeContext } from '../../network/context.ts';
import { observeEndpoint, type EndpointRequest } from '../target/observe-endpoint.ts';
import { createProbeSecureContext } from '../../network/tls/secure-context.ts';
import { requestOf, type PathTarget, type PathTools } from '../target/observe-path.ts';

const HOUR: Millis = 3_600_000;

/** While FortiAuthenticator complains, and for chains that change with each connection. */
const LEAST_GAP: Millis = 300_000;

/**
 * What the licence server showed in TLS 1.2, where it speaks TLS 1.3 as well: some devices inspect the older one alone.
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
  /** Whether what TLS 1.2 showed is an interception, and what TLS 1.3 shows now is none. */
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
      olderTls.keep({ ...seen, again: (isDisputed && before.again) || (await lookInTurns(target, newer, tools, ctx)) });
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
  target: PathTarget,
  { address }: NewerTls,
  tools: PathTools,
  ctx: ProbeContext,
): Promise<VersionSeries> {
  const seen: { readonly older: TlsOutcome[]; readonly newer: TlsOutcome[] } = { older: [], newer: [] };
  for (const version of TURNS) {
    const outcome = await dial(target, address, version === 'older' ? olderDeps(tools) : tools, ctx);
    if (outcome !== null) seen[version].push(outcome);
  }
  return seen;
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

/** Null without a certificate: a server need not speak this version, so that nothing is known. */
async function look(
  target: PathTarget,
  { address, chain }: NewerTls,
  tools: PathTools,
  ctx: ProbeContext,
): Promise<ReferenceObservation | null> {
  const tls = await dial(target, address, olderDeps(tools), ctx);
  return tls === null || tls.chain === null
    ? null
    : { kind: 'tls-1.2', label: address, isFresh: true, outcome: tls, beside: chain };
}
