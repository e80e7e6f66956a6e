import type { UnitsPicture } from '../checks/unit-facts.ts';
import type { Config } from '../config/config.ts';
import type { BudgetStore } from '../sources/registration/budget-store.ts';
import type { Clock } from '../core/clock.ts';
import type { RoundProgress } from '../runtime/round/observe-round.ts';
import type { RoundResult } from '../report/round-result.ts';
import { createProbeKit } from '../runtime/round/probe-kit.ts';
import { invalidWhenStalled } from '../checks/invalid-round.ts';
import { mailServersOf } from '../sources/mail/mail-servers.ts';
import { observeHolders, observeUnits, registrationQuery } from '../sources/appliances/observe-units.ts';
import { conclude, type LogPart } from '../runtime/conclude.ts';
import { createProgressLine, type ProgressOutput } from './progress.ts';
import { untilSettled } from './until-settled.ts';

export interface ExaminationOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
  readonly budget: BudgetStore;
  /** What is known of the log, which cannot be asked. */
  readonly log: LogPart;
  readonly signal: AbortSignal;
  /** Where progress is shown; null: nowhere. */
  readonly progress: ProgressOutput | null;
}

/**
 * One round of everything that can be asked at once, without a daemon; and further rounds of what the probes look at,
 * until what is critical was seen in several of them in a row.
 * @throws {Error} when a file that the configuration names cannot be used
 */
export async function examine(options: ExaminationOptions): Promise<RoundResult> {
  const { config, clock, env, signal } = options;
  const kit = await createProbeKit(config, { clock, env });
  const progress = createProgressLine(options.progress);
  try {
    const units = observeUnits(config, { clock, env, signal });
    const picture = units.then((seen) => completePicture(seen, options));
    const mailServers =
      config.mail.length > 0 ? Promise.resolve(config.mail) : units.then((seen) => mailServersOf(config, seen.units));
    const wishes = {
      mailServers,
      isComplained: false,
      onProgress: (step: RoundProgress) => {
        progress.show(step);
      },
    };
    const look = async (): Promise<RoundResult> => {
      progress.look();
      const [observations, seen] = await Promise.all([kit.observe(signal, wishes), picture]);
      const judged = await kit.assess(observations);
      const probed = invalidWhenStalled(judged.assessments, observations);
      const { diagnosis } = conclude({ config, at: observations.startedAt, probed, picture: seen }, options.log);
      return { diagnosis, observations, judged };
    };
    return await untilSettled(look, { kit, clock, signal });
  } finally {
    progress.clear();
    kit.close();
  }
}

async function completePicture(
  seen: Awaited<ReturnType<typeof observeUnits>>,
  options: ExaminationOptions,
): Promise<UnitsPicture> {
  const { config, budget, clock, env, signal } = options;
  return {
    ...seen,
    registration: await observeHolders(config, registrationQuery(seen.units), budget, { clock, env, signal }),
  };
}
