import type { SlowFactsBySource } from '../sources/registry.ts';
import type { Config } from '../config/config.ts';
import type { RoundProgress } from '../runtime/round/observe-round.ts';
import type { RoundResult } from '../report/round-result.ts';
import { createProbeKit } from '../runtime/round/probe-kit.ts';
import { invalidWhenStalled } from '../checks/invalid-round.ts';
import { codeLifeOf, mailServersOf } from '../sources/mail/mail-servers.ts';
import { askEach, configuredSources, unseenPicture } from '../runtime/slow-sources.ts';
import { conclude, type LogPart } from '../runtime/conclude.ts';
import { stateFile } from '../runtime/state-files.ts';
import { createPendingMemory } from '../sources/appliances/pending-tokens.ts';
import { jsonFile } from '../system/json-file.ts';
import { oneATurn } from '../system/next-turn.ts';
import { createProgressLine } from './progress.ts';
import type { Terminal } from './terminal.ts';
import { untilSettled } from './until-settled.ts';

export interface ExaminationOptions extends Pick<Terminal, 'clock' | 'env' | 'signal' | 'progress'> {
  readonly config: Config;
  /** What is known of the log, which cannot be asked. */
  readonly log: LogPart;
}

/** One round, and what was asked beside the probes. */
export interface Examination extends RoundResult {
  readonly picture: SlowFactsBySource;
}

/**
 * One round of everything that can be asked at once, without a daemon; and further rounds of what the probes look at,
 * until what is critical was seen in several of them in a row.
 * @throws {Error} when a file that the configuration names cannot be used
 */
export async function examine(options: ExaminationOptions): Promise<Examination> {
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
      codeLife: picture.appliances.then((seen) => codeLifeOf(seen.appliances)),
      isComplained: false,
      complainedAt: null,
      onProgress: (step: RoundProgress) => progress.show(step),
    };
    const look = async (): Promise<Examination> => {
      progress.look();
      const [observations, seen] = await Promise.all([kit.observe(signal, wishes), picture.whole]);
      const judged = kit.assess(observations);
      const probed = invalidWhenStalled(judged.assessments, observations);
      const { diagnosis } = conclude({ config, at: observations.startedAt, probed, picture: seen }, options.log);
      return { diagnosis, observations, judged, picture: seen };
    };
    return await untilSettled(look, { kit, clock, signal });
  } finally {
    progress.clear();
  }
}

interface Pictures {
  /** With what is on the schedule of the appliances. */
  readonly appliances: Promise<SlowFactsBySource>;
  readonly whole: Promise<SlowFactsBySource>;
}

function askSlowSources({ config, clock, env, signal }: ExaminationOptions): Pictures {
  // The registration service counts calls: the daemon and this command keep one account.
  const budget = jsonFile(stateFile(config, 'registration-budget.json'));
  // What one look sees pending, is seen first by the daemon, which looks all the time.
  const pendingFile = jsonFile(stateFile(config, 'pending-tokens.json'));
  const seenByDaemon = createPendingMemory({ ...pendingFile, save: () => undefined });
  const ownTurn = oneATurn();
  const ask = async (runs: 'appliance' | 'registration', known: SlowFactsBySource): Promise<SlowFactsBySource> => {
    const sources = configuredSources(config).filter((source) => source.runs === runs);
    const tools = { ...known, budget, pendingTokens: seenByDaemon, ownTurn };
    return { ...known, ...(await askEach(sources, config, { ...tools, clock, env, signal })) };
  };
  const appliances = ask('appliance', unseenPicture(config));
  return { appliances, whole: appliances.then((known) => ask('registration', known)) };
}
