import type { EpochMs, Millis } from '../../../src/core/clock.ts';
import { diagnose } from '../../../src/engine/diagnose.ts';
import { decidingAddresses, type EndpointObservation } from '../../../src/core/observation.ts';
import {
  addressesToDial,
  burstOf,
  needsBurst,
  NO_SAMPLES,
  type Sampling,
  samplingAfter,
} from '../../../src/checks/intermittent/sampling.ts';
import type { RoundFacts } from '../../../src/checks/check.ts';
import { CHECKS } from '../../../src/checks/registry.ts';
import type { RoundResult } from '../../../src/checks/round-result.ts';
import { connectionsOf } from '../../../src/checks/intermittent/finding.ts';
import { deservesAnotherRound } from '../../../src/runtime/monitor.ts';
import type { ComplainingAppliance } from '../checks/complaining-appliance.ts';
import type { Diagnosis, Finding } from '../../../src/engine/model.ts';
import { loadRoundMemory } from '../../../src/round/memory.ts';
import { parseState } from '../../../src/store/saved-state.ts';
import { handClock } from '../time/hand-clock.ts';
import { factsOf, response, roundFacts, shown } from '../checks/facts.ts';
import { CONTEXT, finding, TARGET } from '../checks/judged-round.ts';
import { endpoint, failed, open, path, round } from '../checks/observed.ts';
import { SECOND, START, timeline, type Timeline } from '../store/incident-timeline.ts';

/** How a path breaks a connection: with dropped packets, a reset in the handshake, or a different certificate. */
export type PathFault = 'drop' | 'reset' | 'inspection';

/** Decides the fate of one connection: true if its packets are dropped, false if it works. */
export type FailsAt = (connection: {
  readonly at: EpochMs;
  readonly round: number;
  readonly address: string;
}) => boolean | PathFault;

/** Returns the addresses to which the name resolves. */
export type AnswersAt = (look: { readonly at: EpochMs; readonly round: number }) => readonly string[];

/** FortiAuthenticator on the same path: how often it connects, and the conclusions from its log. */
export interface Polling extends ComplainingAppliance {
  readonly every: Millis;
}

export interface FlakyPath {
  readonly line: Timeline;
  /** Number of connections to the licence server so far. */
  connections(): number;
  /** Number of incidents that were opened. */
  opened(): number;
  /** Returns the events of all notifications that were sent. */
  events(): readonly string[];
  /** Runs the scheduled rounds and any extra rounds requested in between. */
  run(time: Millis): void;
  last(): RoundResult;
  /** Runs one round of another process, which has no memory of earlier rounds. */
  check(): Diagnosis;
  /** Stops and restarts the daemon, with the state that it keeps in its files. */
  restart(): Promise<void>;
}

const DEFAULT_SCHEDULE: Millis = 30 * SECOND;
const TRIGGER_GAP: Millis = 3 * SECOND;
/** Time until an unanswered SYN fails. */
const SILENCE: Millis = 3 * SECOND;
const BURST_TIME: Millis = 8 * SECOND;

/**
 * Runs the daemon's rounds on a path whose connections fail according to `fails`, with the real sampling, diagnosis and
 * incidents.
 */
export function flakyPath(
  fails: FailsAt,
  options: { readonly appliance?: Polling; readonly answers?: AnswersAt; readonly every?: Millis } = {},
): FlakyPath {
  const every = options.every ?? DEFAULT_SCHEDULE;
  const answers = options.answers ?? (() => ['173.243.138.84']);
  const line = timeline();
  const clock = { slot: START, at: START, rounds: 0, made: 0, polls: START + 11 * SECOND };
  const known: { sampling: Sampling; last: RoundResult | null; isStarted: boolean } = {
    sampling: NO_SAMPLES,
    last: null,
    isStarted: false,
  };

  function connect(address: string): Dialled {
    clock.made += 1;
    const spoiled = fails({ at: clock.at, round: clock.rounds, address });
    const fault = spoiled === true ? 'drop' : spoiled === false ? null : spoiled;
    const tcp = fault === 'drop' ? failed('timeout') : open();
    return { ...endpoint(address, tcp), family: address.includes(':') ? 6 : 4, fault };
  }

  function isQuiet(): boolean {
    return (
      known.sampling.kind === 'clear' &&
      known.sampling.bursts.length === 0 &&
      known.sampling.forged.length === 0 &&
      line.state.incidents.length === 0 &&
      line.state.candidates.length === 0
    );
  }

  /** Returns when the round ends, and whether another round is requested immediately. */
  function look(): { readonly ends: EpochMs; readonly again: boolean } {
    const addresses = burstOf(known.sampling, clock.at, null);
    const given = answers({ at: clock.at, round: clock.rounds });
    const endpoints = addressesToDial(known.sampling, given, clock.at).map(connect);
    const burst = addresses.map(connect);
    const licenseServer = path({ endpoints });
    const observations = round({ startedAt: clock.at, licenseServer, burst });
    const wasQuiet = options.appliance === undefined && isQuiet();
    known.sampling = samplingAfter(known.sampling, {
      at: clock.at,
      answers: given,
      deciding: decidingAddresses(endpoints).map(({ address }) => address),
      own: connectionsOf(endpoints, judged(endpoints)),
      burst: burst.length === 0 ? null : connectionsOf(burst, judged(burst)),
    });
    clock.rounds += 1;
    // A round without events changes nothing, so a month of them is skipped.
    if (wasQuiet && isQuiet()) return { ends: clock.at, again: false };
    const facts = factsBy(endpoints, known.sampling, clock.at);
    const diagnosis = options.appliance?.conclude(facts) ?? diagnosedAt(facts);
    const examination: RoundResult = { observations, diagnosis, targets: [] };
    line.now = clock.at;
    line.input({ kind: 'diagnosis', diagnosis, fresh: null });
    const again =
      needsBurst(known.sampling, clock.at) || deservesAnotherRound(known.isStarted ? known.last : null, examination);
    known.last = examination;
    known.isStarted = true;
    return { ends: clock.at + timeOf(endpoints, burst), again };
  }

  return {
    line,
    connections: () => clock.made,
    opened: () => line.transitions.filter((transition) => transition.startsWith('opened')).length,
    events: () => line.told.map((told) => (told.kind === 'incident' ? told.event : told.kind)),
    check: () => {
      const endpoints = answers({ at: clock.at, round: clock.rounds }).map(connect);
      return diagnosedAt(factsBy(endpoints, NO_SAMPLES, clock.at));
    },
    restart: async () => {
      const kept: unknown[] = [];
      const file = {
        load: () => Promise.resolve(kept.at(-1)),
        save: (value: unknown) => void kept.push(JSON.parse(JSON.stringify(value))),
      };
      const memory = () => loadRoundMemory(CONTEXT.host, { samplingFile: file }, handClock(clock.at));
      (await memory()).sampling.note(known.sampling);
      known.sampling = (await memory()).sampling.current();
      known.isStarted = false;
      const stored = parseState(JSON.stringify(line.state));
      if (stored === null) throw new Error('The state of the incidents cannot be read again');
      line.state = stored.state;
    },
    last: () => {
      if (known.last === null) throw new Error('No round has shown anything yet');
      return known.last;
    },
    run(time) {
      for (const end = clock.slot + time; clock.slot < end; clock.slot += every) {
        if (clock.at <= clock.slot) {
          clock.at = clock.slot;
          roundsFrom(end);
        }
        for (const at of complaintsUntil(clock.slot + every)) {
          clock.at = Math.max(clock.at, at);
          roundsFrom(end);
        }
      }
    },
  };

  function roundsFrom(end: EpochMs): void {
    for (;;) {
      const { ends, again } = look();
      const soonest = Math.max(ends, clock.at + TRIGGER_GAP);
      clock.at = again ? soonest : ends;
      if (!again || clock.at >= end) break;
    }
  }

  /** Yields the times at which FortiAuthenticator's own connections failed since the last call. */
  function* complaintsUntil(end: EpochMs): Generator<EpochMs> {
    const { appliance } = options;
    if (appliance === undefined) return;
    for (; clock.polls < end; clock.polls += appliance.every) {
      const [address = ''] = answers({ at: clock.polls, round: clock.rounds });
      if (!fails({ at: clock.polls, round: clock.rounds, address })) continue;
      appliance.complain(clock.polls);
      yield clock.polls;
    }
  }
}

function timeOf(endpoints: readonly EndpointObservation[], burst: readonly EndpointObservation[]): Millis {
  if (burst.length > 0) return BURST_TIME;
  return endpoints.some(({ tcp }) => tcp.kind === 'failed') ? SILENCE : 0;
}

/** A connection and its fault. */
type Dialled = EndpointObservation & { readonly fault: PathFault | null };

/** Returns facts in which every stage of a connection is judged, also if an earlier one failed. */
function factsBy(endpoints: readonly Dialled[], sampling: Sampling, at: EpochMs): RoundFacts {
  const { observations, targets } = shown({
    at,
    tls: judged(endpoints).flatMap(({ judgement }) => judgement.findings),
  });
  const { licenseServer } = observations.path;
  const answered = endpoints.map((one) => ({ ...one, target: TARGET, http: response(200) }));
  const clean = endpoints.filter(({ fault }) => fault === null).map(({ address }) => address);
  const [own] = targets;
  return roundFacts({
    observations,
    targets: [{ ...own, path: { ...licenseServer, endpoints: answered }, sampling, clean }],
  });
}

function diagnosedAt(round: RoundFacts): Diagnosis {
  const { startedAt: at } = round.observations;
  const facts = factsOf({ round, at });
  return diagnose(
    CHECKS.map((check) => ({ id: check.id, ...check.judge(facts) })),
    { ...CONTEXT, at },
  );
}

const TLS_FAULTS = {
  reset: { suggests: 'tls-blocked', confidence: 'suspected', claim: 'A reset.' },
  inspection: { suggests: 'tls-intercepted', confidence: 'confirmed', claim: 'Issued by Contoso.' },
} as const;

function tlsFindings({ fault, address }: Dialled): readonly Finding[] {
  if (fault === null || fault === 'drop') return [];
  const { suggests, ...told } = TLS_FAULTS[fault];
  return [finding(suggests, { ...told, subject: path({ endpoints: [] }).subject, facts: { address } })];
}

/** Returns the judgement of each connection. */
function judged(endpoints: readonly Dialled[]): Parameters<typeof connectionsOf>[1] {
  return endpoints.map((one) => ({
    endpoint: one,
    outcome: {
      kind: 'failed',
      reason: 'closed',
      message: '',
      durationMs: 0,
      serverName: '',
      alert: null,
      chain: null,
      plaintext: null,
    },
    judgement: {
      verdict: one.fault === 'inspection' ? 'intercepted' : one.fault === 'reset' ? 'blocked' : 'genuine',
      confidence: one.fault === 'reset' ? 'suspected' : 'confirmed',
      product: null,
      findings: tlsFindings(one),
      summary: '',
      wouldSettle: null,
      authorities: [],
      accepted: null,
    },
  }));
}
