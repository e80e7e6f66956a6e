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

/** A single control host may be far away. */
const FEWEST_HOSTS = 2;
/**
 * A refusal that arrives within this share of the connect time to the nearest control host did not come from the
 * internet.
 */
const NEARER = 0.25;

type Seen = Pick<RoundObservations, 'controls' | 'stalledMs'> & {
  readonly path: Pick<RoundObservations['path'], 'controlConnects'>;
};

/** Connections to unrelated hosts without a proxy. */
export interface ControlHosts {
  readonly nearest: Millis | null;
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

/** A refusal also proves that packets are delivered. */
export function isRefused({ tcp, proxy }: EndpointObservation): boolean {
  return proxy === null && tcp.kind === 'failed' && ANSWERS.includes(tcp.reason);
}

/**
 * Returns the shortest connect time to the internet, or null if the estimate is too uncertain. Hosts whose connect
 * times were measured only under the load of a round are ignored.
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
 * Both a firewall and the server can cause a timeout or a refusal, so the cause is only suspected. A refusal that
 * arrives very early comes from a nearby device. Node reports neither its kind (TCP reset or ICMP message) nor its
 * sender, so only the time is evaluated.
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

/** Connection failures that routers do not cause. */
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
 * A nearby device is reported only if all addresses are refused nearby, because each address can be closed for a
 * different reason.
 */
function overallOf(kinds: readonly Shut[]): Shut {
  const weakest: readonly Shut[] = ['no-answer', 'no-answer-from-any', 'refused', 'all-refused'];
  return weakest.find((kind) => kinds.includes(kind)) ?? 'refused-nearer';
}

/** A single host can refuse connections for other reasons. */
const FEWEST_REFUSING = 2;

function confidenceOf(kind: Shut, { refusing }: ControlHosts): Confidence {
  return kind === 'refused-nearer' || (kind === 'all-refused' && refusing >= FEWEST_REFUSING)
    ? 'confirmed'
    : 'suspected';
}

interface ShutPortFindings {
  readonly own: Shut;
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
