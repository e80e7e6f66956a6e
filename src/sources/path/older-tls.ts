import type { CapturedChain, Certificate } from '../../core/certificate.ts';
import type { Clock, EpochMs, Millis } from '../../core/clock.ts';
import { type BlockedOutcome, endingOf, isBlocked } from '../../core/blocked-outcome.ts';
import type { EndpointObservation, TlsOutcome } from '../../core/observation.ts';
import type { PathObservation, ReferenceObservation } from '../../core/round.ts';
import type { ProbeContext } from '../../network/context.ts';
import { observeEndpoint } from '../target/observe-endpoint.ts';
import { createProbeSecureContext } from '../../network/tls/secure-context.ts';
import { requestOf, type PathTarget, type PathTools } from '../target/observe-path.ts';

const HOUR: Millis = 3_600_000;

/** While FortiAuthenticator complains or TLS 1.2 is cut, and for chains that change with each connection. */
const LEAST_GAP: Millis = 300_000;

/**
 * What the licence server showed in TLS 1.2, where it speaks TLS 1.3 as well: some devices inspect or cut the older one
 * alone.
 */
export interface OlderTls {
  /** Whether to look again; counts as looked. */
  isDue(leaf: string, isComplained: boolean): boolean;
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
    isDue: (leaf, isComplained) => {
      const age = looked === null ? Number.POSITIVE_INFINITY : now() - looked.at;
      const isCut = last?.outcome.kind === 'failed';
      const isDue = age >= HOUR || (age >= LEAST_GAP && (isComplained || isCut || leaf !== looked?.leaf));
      if (isDue) looked = { at: now(), leaf };
      return isDue;
    },
  };
}

export interface OlderTlsTools extends PathTools {
  readonly olderTls: OlderTls;
  /** FortiAuthenticator's log tells of connections that do not come about. */
  readonly isComplained: boolean;
}

/**
 * The licence server in TLS 1.2, when it is due: one connection to the first address that spoke TLS 1.3, and where it is
 * cut another one.
 */
export async function observeOlderTls(
  target: PathTarget,
  { endpoints }: PathObservation,
  tools: OlderTlsTools,
  ctx: ProbeContext,
): Promise<readonly ReferenceObservation[]> {
  const [newer] = endpoints.flatMap(inNewerTls);
  if (newer === undefined || ctx.signal.aborted) return [];
  const { olderTls, isComplained } = tools;
  if (olderTls.isDue(newer.leaf.fingerprint, isComplained)) olderTls.keep(await look(target, newer, tools, ctx));
  else olderTls.age();
  const last = olderTls.last();
  return last === null ? [] : [last];
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
  { endpoint, limiter }: PathTools,
  ctx: ProbeContext,
): Promise<ReferenceObservation | null> {
  const deps = { ...endpoint, secureContext: createProbeSecureContext('TLSv1.2') };
  const once = async (): Promise<TlsOutcome | null> => {
    const { tls } = await limiter
      .run(() => observeEndpoint({ ...requestOf(target, address), depth: 'tls' }, ctx, deps), ctx.signal)
      .catch((): Pick<EndpointObservation, 'tls'> => ({ tls: null }));
    return tls;
  };
  const first = await once();
  // Silence has outlasted lost packets by itself.
  const outcome = first !== null && isCut(first) && endingOf(first) === 'cut' ? await once() : first;
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
