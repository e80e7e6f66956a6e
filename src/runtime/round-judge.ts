import { confirmedClock, type OwnClock } from '../checks/clock/estimate.ts';
import { asksForPolicy } from '../checks/firewall-policy/judge.ts';
import { invalidWhenStalled } from '../checks/assess.ts';
import { complainedOfPathAt } from '../checks/polling/explained.ts';
import { preconditionOf } from '../checks/registry.ts';
import { complainsOfConnections } from '../checks/tls-genuine/judge.ts';
import type { Config } from '../config/config.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import type { Assessment, Diagnosis } from '../engine/model.ts';
import type { Incident } from '../engine/incident/incident.ts';
import { unlessAborted } from '../network/context.ts';
import type { RoundResult } from '../report/report-contents.ts';
import type { LogListening } from '../logs/intake.ts';
import { codeLifeOf, mailServersOf } from '../round/mail.ts';
import { deadline } from '../system/clock.ts';
import { conclude, NOTHING_REMEMBERED, lastExplainingFaults } from './conclude.ts';
import { assessRound } from '../round/assess.ts';
import type { Instruments } from '../round/instruments.ts';
import { observeRound } from '../round/round.ts';
import type { UnitMonitor } from './unit-monitor.ts';

/** A verdict waits for so long for an answer that refines it. */
const REFINING: Millis = 2_000;

export interface RoundJudgeDeps {
  readonly instruments: Instruments;
  readonly units: UnitMonitor;
  readonly log: Pick<LogListening, 'facts'>;
}

export interface JudgedOnce {
  readonly round: RoundResult;
  /** Settles when the answer is there that this verdict did not wait for. Null: it waited for all that it asked for. */
  readonly late: Promise<void> | null;
  /** The same round, judged by what is known now. It counts as one round all the same. */
  readonly judgeAgain: () => RoundResult;
}

/** Looks at the site, round by round, and judges each by all that is known: the units, the log, the rounds before. */
export class RoundJudge {
  readonly #config: Config;
  readonly #deps: RoundJudgeDeps;
  #last: readonly Assessment[] = [];
  #remembered = NOTHING_REMEMBERED;
  #ownClock: OwnClock | null = null;
  /** When the first of the rounds in a row began that found such a fault; on the monotonic clock. */
  #faultSince: Millis | null = null;

  constructor(deps: RoundJudgeDeps) {
    this.#config = deps.instruments.config;
    this.#deps = deps;
  }

  /** Takes over from the last process what its incidents remember. */
  remember(incidents: readonly Incident[]): void {
    this.#remembered = { ...NOTHING_REMEMBERED, faultsSeen: lastExplainingFaults(incidents) };
  }

  /** Null: it was called off. */
  async look(signal: AbortSignal): Promise<JudgedOnce | null> {
    const { instruments, units, log } = this.#deps;
    const began = instruments.clock.elapsed();
    const { appliances } = units.picture();
    const { report } = log.facts();
    const wishes = {
      mailServers: Promise.resolve(mailServersOf(this.#config, appliances)),
      codeLife: Promise.resolve(codeLifeOf(appliances)),
      onProgress: () => undefined,
      isComplained: complainsOfConnections(report),
      complainedAt: complainedOfPathAt(report, preconditionOf),
    };
    const observations = await observeRound(instruments, wishes, signal);
    if (signal.aborted) return null;
    const judged = assessRound(instruments, observations);
    const probed = invalidWhenStalled(judged.assessments, observations);
    const policy = this.#askForPolicy(probed, began, signal);
    const isAnswered = await this.#inTime(policy, signal);
    if (signal.aborted) return null;
    this.#ownClock = confirmedClock(judged.ownClock ?? null, this.#ownClock);
    const diagnose = this.#diagnosisOf(probed, this.#ownClock, observations.startedAt);
    const judgeAgain = (): RoundResult => ({ observations, judged, diagnosis: diagnose() });
    return { round: judgeAgain(), late: isAnswered ? null : policy, judgeAgain };
  }

  /** Asks which policy matches while a fault lasts that a policy may explain. */
  #askForPolicy(probed: readonly Assessment[], began: Millis, signal: AbortSignal): Promise<void> {
    // Once more after the end of the fault: a policy that was corrected must not go on being told.
    const isAsked = [probed, this.#last].some(asksForPolicy);
    this.#last = probed;
    this.#faultSince = asksForPolicy(probed) ? (this.#faultSince ?? began) : null;
    return isAsked ? this.#deps.units.askNow('firewall', this.#faultSince ?? began, signal) : Promise.resolve();
  }

  async #inTime(answer: Promise<void>, signal: AbortSignal): Promise<boolean> {
    using limit = deadline(this.#deps.instruments.clock, REFINING, signal);
    return await unlessAborted(answer, limit.signal).then(
      () => true,
      () => false,
    );
  }

  /** The firewall's answers decide if they were asked for after the fault began: an older one says nothing about it. */
  #diagnosisOf(probed: readonly Assessment[], ownClock: OwnClock | null, at: EpochMs): () => Diagnosis {
    const { units } = this.#deps;
    const log = { kind: 'heard', ...this.#deps.log.facts(), ...this.#remembered } as const;
    const faultSince = this.#faultSince;
    return () => {
      const deciding = faultSince === null ? {} : { deciding: units.pictureSince(faultSince) };
      const round = { config: this.#config, at, probed, ownClock, picture: units.picture(), ...deciding };
      const { diagnosis, ...remembered } = conclude(round, log);
      this.#remembered = remembered;
      return diagnosis;
    };
  }
}
