import type { Millis } from '../../core/clock.ts';
import { leastRoundTrip } from '../../core/round-trip.ts';
import { withMore } from '../../engine/words/claim.ts';
import type { ShutPortKind } from './shut-port.ts';
import type { Finding } from '../../engine/finding.ts';
import type { EndpointObservation, Failure, FailureReason } from '../../core/observation.ts';
import type { RoundObservations } from '../../sources/registry.ts';

type Shut = Exclude<ShutPortKind, 'denied-by-policy'>;

/** Of unrelated hosts; a single one may be far away. */
const FEWEST_HOSTS = 2;
/** A refusal in less than this share of the way to the nearest control host has not been on the internet. */
const NEARER = 0.25;

type Distances = Pick<RoundObservations, 'controls' | 'stalledMs'> & {
  readonly path: Pick<RoundObservations['path'], 'controlConnects'>;
};

/**
 * How far the internet begins: the least of several connects to each of the control hosts. Null: not known well enough
 * to conclude anything from it: connects that were measured in the rush of the round alone count for nothing.
 */
export function nearestHost({ controls, path: { controlConnects = [] }, stalledMs }: Distances): Millis | null {
  const first = controls.flatMap(({ endpoints }) =>
    endpoints.flatMap(({ tcp, proxy }) => (tcp.kind === 'open' && proxy === null ? [tcp.durationMs] : [])),
  );
  return first.length < FEWEST_HOSTS
    ? null
    : leastRoundTrip([...first, ...controlConnects], stalledMs, 2 * FEWEST_HOSTS);
}

/**
 * What a port that does not open says about who keeps it shut. Silence may be a firewall or a server that is gone, and
 * a refusal may come from either: suspected. A reset or an ICMP message that came back at once is a device near by:
 * Node tells neither its sender nor whether it was the one or the other, but its time.
 */
export function explainShutPorts(
  findings: readonly Finding[],
  endpoints: readonly EndpointObservation[],
  nearest: Millis | null,
): readonly Finding[] {
  const shut = new Map(endpoints.flatMap((endpoint) => shutEntry(endpoint, nearest)));
  const overall = overallOf(
    findings.flatMap((finding) => (finding.level === 'broken' ? (shutOf(finding, shut) ?? []) : [])),
  );
  return findings.map((finding) => {
    const own = shutOf(finding, shut);
    return own === null ? finding : explained(finding, { own, overall, nearest });
  });
}

function shutEntry(
  { address, proxy, tcp }: EndpointObservation,
  nearest: Millis | null,
): readonly (readonly [string, Shut])[] {
  const kind = proxy === null && tcp.kind === 'failed' ? shutKind(tcp, nearest) : null;
  return kind === null ? [] : [[address, kind]];
}

const REFUSALS: readonly FailureReason[] = ['refused', 'reset', 'closed', 'no-route'];

function shutKind({ reason, durationMs }: Failure, nearest: Millis | null): Shut | null {
  if (reason === 'timeout') return 'no-answer';
  if (!REFUSALS.includes(reason)) return null;
  return nearest !== null && durationMs < nearest * NEARER ? 'refused-nearer' : 'refused';
}

function shutOf({ suggests, facts }: Finding, shut: ReadonlyMap<string, Shut>): Shut | null {
  const isAboutPort = suggests === 'egress-blocked' || suggests === 'egress-partly-blocked';
  return isAboutPort ? (shut.get(facts?.address ?? '') ?? null) : null;
}

/**
 * Of several addresses: confirmed only where all are refused near by, since each may be shut for a reason of its own.
 */
function overallOf(kinds: readonly Shut[]): Shut {
  if (kinds.includes('no-answer')) return 'no-answer';
  return kinds.includes('refused') ? 'refused' : 'refused-nearer';
}

interface ShutPortFindings {
  readonly own: Shut;
  /** Of all addresses together. */
  readonly overall: Shut;
  readonly nearest: Millis | null;
}

function explained(finding: Finding, { own, overall, nearest }: ShutPortFindings): Finding {
  const kind = finding.level === 'broken' ? overall : own;
  const more =
    own === 'refused-nearer' && nearest !== null
      ? `at once: the nearest control host is ${nearest.toFixed(0)} ms away`
      : null;
  const told =
    more === null ? {} : { claim: withMore(finding.claim, ', ', more), actual: `${finding.actual}, ${more}` };
  return { ...finding, ...told, kind, confidence: kind === 'refused-nearer' ? 'confirmed' : 'suspected' };
}
