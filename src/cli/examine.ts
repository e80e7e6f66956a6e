import type { UnitsPicture } from '../checks/unit-facts.ts';
import type { Config } from '../config/config.ts';
import type { RoundProgress } from '../runtime/round/observe-round.ts';
import type { RoundResult } from '../report/round-result.ts';
import { createProbeKit } from '../runtime/round/probe-kit.ts';
import { invalidWhenStalled } from '../checks/invalid-round.ts';
import { mailServersOf } from '../sources/mail/mail-servers.ts';
import { observeHolders, observeUnits, registrationQuery } from '../sources/appliances/observe-units.ts';
import { conclude, type LogPart } from '../runtime/conclude.ts';
import { stateFile } from '../runtime/state-files.ts';
import { jsonFile } from '../system/json-file.ts';
import { createProgressLine } from './progress.ts';
import type { Terminal } from './terminal.ts';
import { untilSettled } from './until-settled.ts';

export interface ExaminationOptions extends Pick<Terminal, 'clock' | 'env' | 'signal' | 'progress'> {
  readonly config: Config;
  /** What is known of the log, which cannot be asked. */
  readonly log: LogPart;
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
      onProgress: (step: RoundProgress) => progress.show(step),
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
  { config, clock, env, signal }: ExaminationOptions,
): Promise<UnitsPicture> {
  const query = registrationQuery(seen.units);
  // The registration service counts calls: the daemon and this command keep one account.
  const budget = jsonFile(stateFile(config, 'registration-budget.json'));
  return { ...seen, registration: await observeHolders(config, query, budget, { clock, env, signal }) };
}
