import type { EpochMs, Millis } from '../core/clock.ts';
import type { Verdict } from './tls-genuine/tls-evidence.ts';
import type { ClockObservation } from '../core/observation.ts';
import type { PathObservation } from '../core/round.ts';
import type { RoundObservations } from '../sources/registry.ts';
import { observeDateHeader } from './clock/date-header.ts';
import { controlChainsOf, judgeTlsPath, type TlsKnowledge } from './tls-genuine/judge-tls-path.ts';

const GENUINE: readonly Verdict[] = ['genuine', 'rotated'];

/**
 * Marks the time of the licence server itself where it can be believed: its chain is genuine at the time that it tells,
 * and its certificate out of date at ours. One source alone may be wrong, but not one that proves who it is just then.
 */
export function withGenuineTime(
  clock: readonly ClockObservation[],
  { path: { licenseServer }, controls, startedAt }: Pick<RoundObservations, 'path' | 'controls' | 'startedAt'>,
  knowledgeOf: (target: string) => TlsKnowledge,
): readonly ClockObservation[] {
  const dated = licenseServer.endpoints.flatMap((endpoint) => {
    if (endpoint.http?.kind !== 'response') return [];
    const { outcome } = observeDateHeader(licenseServer.subject, endpoint.http);
    return outcome.kind === 'offset' ? [{ endpoint, offsetMs: outcome.offsetMs }] : [];
  });
  // Nothing to prove where the times agree: no chain is judged twice in the quiet state.
  if (dated.every(({ offsetMs }) => Math.abs(offsetMs) < WORTH_A_LOOK)) return clock;
  const around = controlChainsOf(controls);
  const verdictAt = (path: PathObservation, now: EpochMs): Verdict | null =>
    judgeTlsPath(path, knowledgeOf(path.subject), { controls: around, now }).worst?.verdict ?? null;
  const proven = dated.filter(({ endpoint, offsetMs }) => {
    const path = { ...licenseServer, endpoints: [endpoint] };
    const [here, there] = [verdictAt(path, startedAt), verdictAt(path, startedAt + offsetMs)];
    return here === 'certificate-broken' && GENUINE.some((verdict) => verdict === there);
  });
  const isProven = ({ source, outcome }: ClockObservation): boolean =>
    source === licenseServer.subject &&
    outcome.kind === 'offset' &&
    proven.some(({ offsetMs }) => offsetMs === outcome.offsetMs);
  return clock.map((told) => (isProven(told) ? { ...told, protocol: 'certificate' } : told));
}

/** Certificates are dated by the second, and clocks are allowed to be off by some. */
const WORTH_A_LOOK: Millis = 60_000;
