import type { AgentHealth } from '../core/agent.ts';
import type { RoundFacts } from '../checks/check.ts';
import { confirmedClock, ownClockOf } from '../checks/clock/judge.ts';
import { conclude, NOTHING_REMEMBERED, rememberedFrom } from '../checks/conclude.ts';
import type { OwnClock } from '../core/observation.ts';
import { complainedOfPathAt } from '../checks/polling/explained.ts';
import { preconditionOf } from '../checks/registry.ts';
import { asksForPolicy } from '../checks/stages.ts';
import { complainsOfConnections } from '../checks/tls-genuine/judge.ts';
import type { Config } from '../config/config.ts';
import type { Millis } from '../core/clock.ts';
import type { Diagnosis } from '../engine/model.ts';
import type { Incident } from '../engine/incident/incident.ts';
import { unlessAborted } from '../network/context.ts';
import type { RoundResult } from '../report/report-contents.ts';
import type { LogListening } from '../logs/intake.ts';
import { codeLifeOf, mailServersOf } from '../round/mail.ts';
import { deadline } from '../system/clock.ts';
import { factsOf } from '../round/facts.ts';
import type { Instruments } from '../round/instruments.ts';
import { observeRound } from '../round/round.ts';
import type { ConnectedSystems } from './connected-systems.ts';

/** Maximum time for which the evaluation of a round waits for a result that can refine the evaluation. */
const REFINING: Millis = 2_000;

interface RoundJudgeDeps {
  readonly instruments: Instruments;
  readonly systems: ConnectedSystems;
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
    const { instruments, systems, log } = this.#deps;
    const began = instruments.clock.elapsed();
    const { appliances } = systems.picture();
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
    const facts = factsOf(instruments, observations);
    const policy = this.#askForPolicy(asksForPolicy(facts), began, signal);
    const isAnswered = await this.#inTime(policy, signal);
    if (signal.aborted) return null;
    this.#ownClock = confirmedClock(ownClockOf(facts), this.#ownClock);
    const diagnose = this.#diagnosisOf(facts, this.#ownClock);
    const judgeAgain = (): RoundResult => ({ observations, targets: facts.targets, diagnosis: diagnose() });
    return { round: judgeAgain(), late: isAnswered ? null : policy, judgeAgain };
  }

  #askForPolicy(mayExplain: boolean, began: Millis, signal: AbortSignal): Promise<void> {
    // The policy is queried once more after the fault has ended, so that a policy that has been corrected is no longer
    // reported.
    const isAsked = mayExplain || this.#faultSince !== null;
    this.#faultSince = mayExplain ? (this.#faultSince ?? began) : null;
    return isAsked ? this.#deps.systems.askFirewalls(this.#faultSince ?? began, signal) : Promise.resolve();
  }

  async #inTime(answer: Promise<void>, signal: AbortSignal): Promise<boolean> {
    using limit = deadline(this.#deps.instruments.clock, REFINING, signal);
    return await unlessAborted(answer, limit.signal).then(
      () => true,
      () => false,
    );
  }

  /** Firewall results are used as evidence only if they were requested after the fault began. */
  #diagnosisOf(round: RoundFacts, ownClock: OwnClock | null): () => Diagnosis {
    const { systems } = this.#deps;
    const log = { kind: 'heard', ...this.#deps.log.facts(), ...this.#remembered } as const;
    const faultSince = this.#faultSince;
    const before = this.#causes;
    return () => {
      const deciding = faultSince === null ? null : systems.pictureSince(faultSince);
      const known = { config: this.#config, round, ownClock, before, agent: this.#deps.health() };
      const { diagnosis, ...remembered } = conclude({ ...known, picture: systems.picture(), deciding }, log);
      this.#remembered = remembered;
      this.#causes = diagnosis.causes;
      return diagnosis;
    };
  }
}
