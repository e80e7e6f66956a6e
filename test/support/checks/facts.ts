import type { Facts, HeardLog, RoundFacts, TargetFacts } from '../../../src/checks/check.ts';
import { NO_SAMPLES } from '../../../src/checks/intermittent/sampling.ts';
import { preconditionOf } from '../../../src/checks/registry.ts';
import type { PollingReport } from '../../../src/core/polling/report.ts';
import { NO_OTHER_NAMES } from '../../../src/checks/name-resolution/other-names.ts';
import type { TlsJudgement } from '../../../src/checks/tls-genuine/chain-case.ts';
import type { WatchedConfig } from '../../../src/config/schema/watched.ts';
import type { EpochMs, Millis } from '../../../src/core/clock.ts';
import type { HttpOutcome, MailObservation, TcpOutcome } from '../../../src/core/observation.ts';
import type { PathObservation } from '../../../src/core/round.ts';
import type { Finding } from '../../../src/engine/model.ts';
import { publicRootsOf } from '../certificates/chains.ts';
import { freshKnowledge } from '../certificates/tls-knowledge.ts';
import { configOf } from '../config/config-of.ts';
import { CONTEXT, TARGET } from './judged-round.ts';
import { endpoint, failed, open, path, picture, round } from './observed.ts';

const CONFIG = await configOf('{}');
const KNOWLEDGE = freshKnowledge({ trust: { pins: [], anchors: [], publicRoots: publicRootsOf() } });

/** Returns facts about the licence server. Nothing was observed, except for the given values. */
export function targetFacts(known: Partial<TargetFacts> = {}): TargetFacts {
  return {
    path: path({ endpoints: [] }),
    port: 443,
    licenseServer: null,
    service: null,
    tls: { endpoints: [], worst: null },
    knowledge: KNOWLEDGE,
    surroundings: { controls: [], now: 0 },
    controlHosts: { accepting: 0, refusing: 0, tried: 0 },
    otherNames: NO_OTHER_NAMES,
    clean: [],
    sampling: NO_SAMPLES,
    answers: [],
    ...known,
  };
}

export function roundFacts(known: Partial<RoundFacts> = {}): RoundFacts {
  return { observations: round(), targets: [targetFacts()], clock: [], answered: new Set(), ...known };
}

/** Returns everything that is known when a round is evaluated: nothing, except for the given values. */
export function factsOf(known: Partial<Facts> = {}): Facts {
  const config: WatchedConfig = CONFIG;
  const at = known.round?.observations.startedAt ?? 0;
  return {
    config,
    at,
    round: roundFacts(),
    picture: picture(),
    deciding: null,
    log: { kind: 'unheard', reason: 'The log is not read', isTrouble: false },
    ownClock: null,
    speaking: [],
    agent: null,
    unconfirmed: [],
    ...known,
  };
}

/** Returns a log whose errors no fault of earlier rounds explains. */
export function heard(report: PollingReport): HeardLog {
  return { kind: 'heard', report, faultsSeen: [], lasting: [], unknownSenders: [], preconditionOf };
}

/** What a round shows, if it is not that everything works. */
export interface Shown {
  readonly at?: EpochMs;
  readonly port?: TcpOutcome;
  readonly names?: PathObservation['names'];
  /** Null if there was no handshake. */
  readonly tls?: readonly Finding[] | null;
  readonly http?: HttpOutcome;
  readonly mail?: readonly MailObservation[];
  readonly services?: readonly TargetFacts[];
  /** No host on the internet answers. */
  readonly isOffline?: true;
  /** Facts about the licence server. */
  readonly own?: Partial<TargetFacts>;
  readonly stalledMs?: Millis;
}

/** Returns the facts of a round in which everything works, except for what is given. */
export function shown({ at = CONTEXT.at, isOffline, tls = [], ...more }: Shown = {}): RoundFacts {
  const { names = [], mail = [], own = {}, services = [], stalledMs = 0 } = more;
  const port = isOffline === true ? failed('no-route') : (more.port ?? open());
  const isOpen = port.kind === 'open';
  const http = isOpen ? (more.http ?? response(200)) : null;
  const seen = { ...endpoint('173.243.138.84', port), target: TARGET, http };
  const licenseServer = path({ subject: TARGET, host: CONTEXT.host, names, endpoints: [seen] });
  const control = path({ endpoints: [endpoint('192.0.2.80', isOffline === true ? failed('no-route') : open())] });
  const worst: TlsJudgement | null =
    tls === null
      ? null
      : {
          verdict: 'genuine',
          confidence: 'confirmed',
          product: null,
          findings: tls,
          summary: 'Everything works',
          wouldSettle: null,
          authorities: [],
        };
  return roundFacts({
    observations: round({ startedAt: at, licenseServer, controls: [control], mail, stalledMs }),
    targets: [
      targetFacts({ path: licenseServer, licenseServer: CONFIG.licenseServer, tls: { endpoints: [], worst }, ...own }),
      ...services,
    ],
  });
}

export function response(status: number): HttpOutcome {
  return {
    kind: 'response',
    status,
    date: null,
    receivedAt: 0,
    server: null,
    proxyTraces: [],
    blockPage: null,
    durationMs: 20,
  };
}
