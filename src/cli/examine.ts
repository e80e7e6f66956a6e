import type { SlowFactsBySource } from '../sources/registry.ts';
import type { Config } from '../config/config.ts';
import type { BudgetStore } from '../sources/registration/budget-store.ts';
import type { Clock } from '../core/clock.ts';
import type { RoundProgress } from '../runtime/round/observe-round.ts';
import type { RoundResult } from '../report/round-result.ts';
import { createProbeKit } from '../runtime/round/probe-kit.ts';
import { invalidWhenStalled } from '../checks/invalid-round.ts';
import { mailServersOf } from '../sources/mail/mail-servers.ts';
import { askEach, configuredSources, unseenPicture } from '../runtime/slow-sources.ts';
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
    const picture = askSlowSources(options);
    const mailServers =
      config.mail.length > 0
        ? Promise.resolve(config.mail)
        : picture.appliances.then((seen) => mailServersOf(config, seen.appliances));
    const wishes = {
      mailServers,
      isComplained: false,
      onProgress: (step: RoundProgress) => {
        progress.show(step);
      },
    };
    const look = async (): Promise<RoundResult> => {
      progress.look();
      const [observations, seen] = await Promise.all([kit.observe(signal, wishes), picture.whole]);
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

interface Pictures {
  /** With what is on the schedule of the appliances. */
  readonly appliances: Promise<SlowFactsBySource>;
  readonly whole: Promise<SlowFactsBySource>;
}

function askSlowSources({ config, budget, clock, env, signal }: ExaminationOptions): Pictures {
  const ask = async (runs: 'appliance' | 'registration', known: SlowFactsBySource): Promise<SlowFactsBySource> => {
    const sources = configuredSources(config).filter((source) => source.runs === runs);
    return { ...known, ...(await askEach(sources, config, { ...known, budget, clock, env, signal })) };
  };
  const appliances = ask('appliance', unseenPicture(config));
  return { appliances, whole: appliances.then((known) => ask('registration', known)) };
}
