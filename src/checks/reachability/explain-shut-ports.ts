import type { Millis } from '../../core/clock.ts';
import {
  leastRoundTrip,
  type EndpointObservation,
  type Failure,
  type FailureReason,
  isOwnTrouble,
} from '../../core/observation.ts';
import { withMoreSaid } from '../../engine/words.ts';
import type { ShutPortKind } from './causes.ts';
import type { Confidence, Finding } from '../../engine/model.ts';
import type { RoundObservations } from '../../core/round.ts';

type Shut = Exclude<ShutPortKind, 'denied-by-policy'>;

/** The minimum number of control hosts for an estimate, because a single host may be far away. */
const FEWEST_HOSTS = 2;
/**
 * A refusal did not come from the internet if it arrives in less than this share of the connect time to the nearest
 * control host.
 */
const NEARER = 0.25;

type Seen = Pick<RoundObservations, 'controls' | 'stalledMs'> & {
  readonly path: Pick<RoundObservations['path'], 'controlConnects'>;
};

/** Results for unrelated hosts, reached without a proxy, for comparison with a closed port. */
export interface ControlHosts {
  readonly nearest: Millis | null;
  /** Hosts that accept a connection. */
  readonly accepting: number;
  /** Hosts that refused the connection at every address that was tried. */
  readonly refusing: number;
  readonly tried: number;
}

export function controlHostsOf(seen: Seen): ControlHosts {
  const tried = seen.controls
    .map(({ endpoints }) => endpoints.filter(({ proxy, tcp }) => proxy === null && !isOurs(tcp)))
    .filter((endpoints) => endpoints.length > 0);
  return {
    nearest: nearestHost(seen),
    accepting: tried.filter((endpoints) => endpoints.some(({ tcp }) => tcp.kind === 'open')).length,
    refusing: tried.filter((endpoints) => endpoints.every(isRefused)).length,
    tried: tried.length,
  };
}

function isOurs(tcp: EndpointObservation['tcp']): boolean {
  return tcp.kind === 'failed' && isOwnTrouble(tcp.reason);
}

/** Reports whether a host answered, even if only with a refusal. An answer proves that packets are delivered. */
export function isRefused({ tcp, proxy }: EndpointObservation): boolean {
  return proxy === null && tcp.kind === 'failed' && ANSWERS.includes(tcp.reason);
}

/**
 * Estimates the distance to the internet as the shortest of several connect times to each control host. Returns null if
 * the estimate is too uncertain. Connect times that were only measured under the load of the round do not count.
 */
function nearestHost({ controls, path: { controlConnects = [] }, stalledMs }: Seen): Millis | null {
  const first = controls.flatMap(({ endpoints }) =>
    endpoints.flatMap(({ tcp, proxy }) => (tcp.kind === 'open' && proxy === null ? [tcp.durationMs] : [])),
  );
  return first.length < FEWEST_HOSTS
    ? null
    : leastRoundTrip([...first, ...controlConnects], stalledMs, 2 * FEWEST_HOSTS);
}

/**
 * Explains why a port is closed. A timeout or a refusal can be caused by a firewall or by the server, so both are only
 * suspected. A reset or an ICMP message that arrives very early comes from a nearby device. Node does not report which
 * of the two was received, or from whom, so only the time is used.
 */
export function explainShutPorts(
  findings: readonly Finding[],
  endpoints: readonly EndpointObservation[],
  controls: ControlHosts,
): readonly Finding[] {
  const shut = new Map(endpoints.flatMap((endpoint) => shutEntry(endpoint, controls)));
  const overall = overallOf(
    findings.flatMap((finding) => (finding.level === 'broken' ? (shutOf(finding, shut) ?? []) : [])),
  );
  return findings.map((finding) => {
    const own = shutOf(finding, shut);
    return own === null ? finding : explained(finding, { own, overall, controls });
  });
}

function shutEntry(
  { address, proxy, tcp }: EndpointObservation,
  controls: ControlHosts,
): readonly (readonly [string, Shut])[] {
  const kind = proxy === null && tcp.kind === 'failed' ? shutKind(tcp, controls) : null;
  return kind === null ? [] : [[address, kind]];
}

/** Failures that routers do not cause. */
const ANSWERS: readonly FailureReason[] = ['refused', 'reset', 'closed'];
const REFUSALS: readonly FailureReason[] = [...ANSWERS, 'no-route'];

function shutKind({ reason, durationMs }: Failure, { nearest, accepting, refusing, tried }: ControlHosts): Shut | null {
  if (reason === 'timeout') return accepting > 0 || tried === 0 ? 'no-answer' : 'no-answer-from-any';
  if (!REFUSALS.includes(reason)) return null;
  if (refusing > 0 && refusing === tried) return 'all-refused';
  return nearest !== null && durationMs < nearest * NEARER ? 'refused-nearer' : 'refused';
}

function shutOf({ suggests, facts }: Finding, shut: ReadonlyMap<string, Shut>): Shut | null {
  const isAboutPort = suggests === 'egress-blocked' || suggests === 'egress-partly-blocked';
  return isAboutPort ? (shut.get(facts?.address ?? '') ?? null) : null;
}

/**
 * Combines the results for several addresses. A nearby device is only reported if it refuses all addresses, because
 * each address can be closed for a different reason.
 */
function overallOf(kinds: readonly Shut[]): Shut {
  const weakest: readonly Shut[] = ['no-answer', 'no-answer-from-any', 'refused', 'all-refused'];
  return weakest.find((kind) => kinds.includes(kind)) ?? 'refused-nearer';
}

/**
 * The minimum number of unrelated hosts that must refuse at the same time before a device on the path is reported as
 * the reason. A single host can refuse for other reasons.
 */
const FEWEST_REFUSING = 2;

function confidenceOf(kind: Shut, { refusing }: ControlHosts): Confidence {
  return kind === 'refused-nearer' || (kind === 'all-refused' && refusing >= FEWEST_REFUSING)
    ? 'confirmed'
    : 'suspected';
}

interface ShutPortFindings {
  readonly own: Shut;
  /** The combined kind for all addresses. */
  readonly overall: Shut;
  readonly controls: ControlHosts;
}

function explained(finding: Finding, { own, overall, controls }: ShutPortFindings): Finding {
  const kind = finding.level === 'broken' ? overall : own;
  const more = comparison(own, controls);
  const told = more === null ? finding : withMoreSaid(finding, ', ', more);
  return { ...told, kind, confidence: confidenceOf(kind, controls) };
}

function comparison(own: Shut, { nearest, refusing }: ControlHosts): string | null {
  if (own === 'refused-nearer' && nearest !== null)
    return `immediately, although the nearest control host is ${nearest.toFixed(0)} ms away`;
  return own === 'all-refused' ? `as at ${String(refusing)} control host${refusing === 1 ? '' : 's'}` : null;
}
