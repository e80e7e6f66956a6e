import type { AgentHealth } from '../core/agent.ts';
import { confirmedClock } from '../checks/clock/judge.ts';
import type { OwnClock } from '../core/observation.ts';
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
import { conclude, NOTHING_REMEMBERED, rememberedFrom } from './conclude.ts';
import { assessRound } from '../round/assess.ts';
import type { Instruments } from '../round/instruments.ts';
import { observeRound } from '../round/round.ts';
import type { UnitMonitor } from './unit-monitor.ts';

/** Maximum time for which the evaluation of a round waits for a result that can refine the evaluation. */
const REFINING: Millis = 2_000;

interface RoundJudgeDeps {
  readonly instruments: Instruments;
  readonly units: UnitMonitor;
  readonly log: Pick<LogListening, 'facts'>;
  readonly health: () => AgentHealth;
}

export interface JudgedOnce {
  readonly round: RoundResult;
  /** Resolves when a result arrives after the evaluation stopped waiting for it. Null if no result is missing. */
  readonly late: Promise<void> | null;
  /** Evaluates the round again with the late result. Both evaluations count as one round. */
  readonly judgeAgain: () => RoundResult;
}

export class RoundJudge {
  readonly #config: Config;
  readonly #deps: RoundJudgeDeps;
  #last: readonly Assessment[] = [];
  #remembered = NOTHING_REMEMBERED;
  #ownClock: OwnClock | null = null;
  #causes: Diagnosis['causes'] = [];
  /**
   * The monotonic time since which every round has found a fault that a firewall policy may explain. Null if there is
   * no such fault.
   */
  #faultSince: Millis | null = null;

  constructor(deps: RoundJudgeDeps) {
    this.#config = deps.instruments.config;
    this.#deps = deps;
  }

  /** Restores known faults from incidents after a restart. */
  remember(incidents: readonly Incident[]): void {
    this.#remembered = rememberedFrom(incidents);
  }

  /** Returns null if the round was cancelled. */
  async run(signal: AbortSignal): Promise<JudgedOnce | null> {
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

  #askForPolicy(probed: readonly Assessment[], began: Millis, signal: AbortSignal): Promise<void> {
    // The policy is queried once more after the fault has ended, so that a policy that has been corrected is no longer
    // reported.
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

  /** Firewall results are used as evidence only if they were requested after the fault began. */
  #diagnosisOf(probed: readonly Assessment[], ownClock: OwnClock | null, at: EpochMs): () => Diagnosis {
    const { units } = this.#deps;
    const log = { kind: 'heard', ...this.#deps.log.facts(), ...this.#remembered } as const;
    const faultSince = this.#faultSince;
    const before = this.#causes;
    return () => {
      const deciding = faultSince === null ? {} : { deciding: units.pictureSince(faultSince) };
      const known = { config: this.#config, at, probed, ownClock, before, agent: this.#deps.health() };
      const round = { ...known, picture: units.picture(), ...deciding };
      const { diagnosis, ...remembered } = conclude(round, log);
      this.#remembered = remembered;
      this.#causes = diagnosis.causes;
      return diagnosis;
    };
  }
}
