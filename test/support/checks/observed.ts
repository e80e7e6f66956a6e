import type { EndpointObservation, TcpFailure, TcpOutcome } from '../../../src/core/observation.ts';
import type { PathFacts, PathObservation } from '../../../src/core/round.ts';
import type { RoundObservations } from '../../../src/core/round.ts';
import type { Picture } from '../../../src/connectors/picture.ts';

/** Returns observations as plain values, for tests of their judgement. */
export function endpoint(address: string, tcp: TcpOutcome = open()): EndpointObservation {
  return { target: 'server.test:443', address, family: 4, proxy: null, tcp, tls: null, http: null };
}

export function open(durationMs = 5): TcpOutcome {
  return { kind: 'open', durationMs };
}

export function failed(reason: TcpFailure['reason'], message: string = reason): TcpFailure {
  return { kind: 'failed', reason, message, durationMs: 3 };
}

export function path(overrides: Partial<PathObservation> = {}): PathObservation {
  return { subject: 'server.test:443', host: 'server.test', names: [], endpoints: [], references: [], ...overrides };
}

/** Path facts can be given with the other values. A new source has observed nothing. */
export function round(overrides: Partial<RoundObservations & PathFacts> = {}): RoundObservations {
  const { licenseServer = path(), burst = [], services = [], knownAddresses = [], ...others } = overrides;
  const seen: Partial<RoundObservations> = {
    startedAt: Date.UTC(2026, 10, 24, 13),
    durationMs: 100,
    stalledMs: 0,
    path: { licenseServer, burst, services, knownAddresses },
    controls: [],
    mail: [],
    ntp: [],
    ...others,
  };
  return seen as RoundObservations;
}

/** Returns the knowledge beyond the round: nothing, except for the given values. */
export function picture(known: Partial<Picture> = {}): Picture {
  const seen: Partial<Picture> = { appliances: [], registration: null, firewall: [], peers: [], ...known };
  return seen as Picture;
}
