import type { AgentHealth } from '../core/agent.ts';
import type { RoundFacts } from '../checks/check.ts';
import { confirmedClock, ownClockOf } from '../checks/clock/judge.ts';
import { conclude, NOTHING_REMEMBERED, rememberedFrom } from '../checks/conclude.ts';
import type { OwnClock } from '../core/observation.ts';
import { complainedOfPathAt } from '../checks/polling/explained.ts';
import { preconditionOf } from '../checks/registry.ts';
import { asksForPolicy, outsideWishes } from '../checks/stages.ts';
import { complainsOfConnections } from '../checks/tls-genuine/judge.ts';
import type { Config } from '../config/config.ts';
import type { Millis } from '../core/clock.ts';
import type { Diagnosis } from '../engine/model.ts';
import type { Incident } from '../engine/incident/incident.ts';
import { unlessAborted } from '../network/context.ts';
import type { RoundResult } from '../checks/round-result.ts';
import type { LogListening } from '../logs/intake.ts';
import { codeLifeOf, mailServersOf } from '../round/mail.ts';
import { deadline } from '../system/clock.ts';
import { factsOf } from '../round/facts.ts';
import { withOutside } from '../checks/round-facts.ts';
import type { Instruments } from '../round/instruments.ts';
import { observeRound } from '../round/round.ts';
import type { ConnectedSystems } from './connected-systems.ts';
import type { OutsideWitness } from './outside-witness.ts';

/** Maximum time for which the evaluation of a round waits for a result that can refine the evaluation. */
const REFINING: Millis = 2_000;

interface RoundJudgeDeps {
  readonly instruments: Instruments;
  readonly systems: ConnectedSystems;
  /** Null if other networks are not asked. */
  readonly outside: OutsideWitness | null;
  readonly log: Pick<LogListening, 'facts'>;
  readonly health: () => AgentHealth;
}

export interface JudgedOnce {
  readonly round: RoundResult;
  /** Each resolves when a result arrives that the evaluation did not wait for. */
  readonly late: readonly Promise<void>[];
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
    const parameters = {
      mailServers: Promise.resolve(mailServersOf(this.#config, appliances)),
      codeLife: Promise.resolve(codeLifeOf(appliances)),
      onProgress: () => undefined,
      isComplained: complainsOfConnections(report),
      complainedAt: complainedOfPathAt(report, preconditionOf),
    };
    const observations = await observeRound(instruments, parameters, signal);
    if (signal.aborted) return null;
    const facts = factsOf(instruments, observations);
    const policy = this.#askForPolicy(asksForPolicy(facts), began, signal);
    const isAnswered = await this.#inTime(policy, signal);
    if (signal.aborted) return null;
    this.#ownClock = confirmedClock(ownClockOf(facts), this.#ownClock);
    const { outside } = this.#deps;
    const late = outside?.ask(outsideWishes(facts), facts.targets[0].clean.length > 0, signal) ?? [];
    const diagnose = this.#diagnosisOf(this.#ownClock);
    const judgeAgain = (): RoundResult => {
      const view = outside?.view() ?? null;
      const seen = view === null ? facts : withOutside(facts, view);
      return { observations, targets: seen.targets, diagnosis: diagnose(seen) };
    };
    return { round: judgeAgain(), late: isAnswered ? late : [policy, ...late], judgeAgain };
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
  #diagnosisOf(ownClock: OwnClock | null): (round: RoundFacts) => Diagnosis {
    const { systems } = this.#deps;
    const log = { kind: 'heard', ...this.#deps.log.facts(), ...this.#remembered } as const;
    const faultSince = this.#faultSince;
    const before = this.#causes;
    return (round) => {
      const deciding = faultSince === null ? null : systems.pictureSince(faultSince);
      const known = { config: this.#config, round, ownClock, before, agent: this.#deps.health() };
      const { diagnosis, ...remembered } = conclude({ ...known, picture: systems.picture(), deciding }, log);
      this.#remembered = remembered;
      this.#causes = diagnosis.causes;
      return diagnosis;
    };
  }
}
