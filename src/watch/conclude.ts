import type { Config } from '../config/config.ts';
import type { Assessment } from '../core/assessment.ts';
import { withComplaint } from '../core/comes-and-goes.ts';
import type { EpochMs } from '../core/clock.ts';
import type { Diagnosis } from '../core/diagnosis.ts';
import { diagnose } from '../core/diagnosis/diagnose.ts';
import { withoutExplained } from '../core/polling/explained.ts';
import type { PollingReport } from '../core/polling/report.ts';
import { activationOf, assessUnits, withUntoldMail } from '../units/assess-units.ts';
import type { UnitsPicture } from '../units/observe-units.ts';
import { assessPolling, seemsUnaffected, withLogEvidence } from './assess-log.ts';
import { explainsPolling } from './explaining-fault.ts';
import { nextUnread, speakingAppliances, type UnreadSince } from './speaking-appliances.ts';

/** What was found out in one round, but for the log. */
export interface RoundFindings {
  readonly config: Config;
  /** When the round began. */
  readonly at: EpochMs;
  readonly probed: readonly Assessment[];
  readonly picture: UnitsPicture;
}

/** What the log adds to a round. */
export type LogPart =
  | {
      readonly kind: 'heard';
      readonly report: PollingReport;
      /** When something was last broken that makes FortiAuthenticator complain; null: not lately. */
      readonly faultSeenAt: EpochMs | null;
      readonly unreadSince: UnreadSince;
    }
  /** Nobody listened; `polling` says why. */
  | { readonly kind: 'unheard'; readonly polling: Assessment };

export interface Conclusion {
  readonly diagnosis: Diagnosis;
  /** For the next round. */
  readonly faultSeenAt: EpochMs | null;
  /** Also for the next round. */
  readonly unreadSince: UnreadSince;
}

/** Reasons over a round together with the log. What FortiAuthenticator complained of while a fault lasted is explained by it, also afterwards. */
export function conclude(round: RoundFindings, log: LogPart): Conclusion {
  if (log.kind === 'unheard') return { diagnosis: diagnosed(round, log.polling, NOTHING_HEARD), faultSeenAt: null, unreadSince: new Map() };
  const { config, at } = round;
  const { report } = log;
  const complains = report.appliances.some(({ errors }) => errors.length > 0);
  const probed = withLogEvidence(round.probed, report, config);
  const whole = { ...round, probed: complains ? withComplaint(probed) : probed };
  const unreadSince = nextUnread(log.unreadSince, round.picture.units, at);
  const heard = { applianceUnaffected: seemsUnaffected(report), speaking: speakingAppliances(report, unreadSince, at) };
  const withPolling = (polling: Assessment): Diagnosis => diagnosed(whole, polling, heard);
  const diagnosis = withPolling(assessPolling(config, report));
  if (explainsPolling(diagnosis)) return { diagnosis, faultSeenAt: at, unreadSince };
  if (log.faultSeenAt === null) return { diagnosis, faultSeenAt: null, unreadSince };
  const unexplained = withoutExplained(report, log.faultSeenAt);
  return {
    diagnosis: withPolling(assessPolling(config, unexplained.report, unexplained.notes)),
    faultSeenAt: log.faultSeenAt,
    unreadSince,
  };
}

/** What the log tells beyond what it complains of. */
interface Heard {
  readonly applianceUnaffected: boolean;
  /** Names of the appliances whose log has arrived until now. */
  readonly speaking: readonly string[];
}

const NOTHING_HEARD: Heard = { applianceUnaffected: false, speaking: [] };

function diagnosed({ config, at, probed, picture }: RoundFindings, polling: Assessment, heard: Heard): Diagnosis {
  const { host, port } = config.licenseServer;
  return diagnose([...withUntoldMail(probed, picture), ...assessUnits(config, picture, heard.speaking), polling], {
    site: config.site,
    at,
    host,
    port,
    source: config.firewall?.source ?? null,
    activation: activationOf(picture),
    applianceUnaffected: heard.applianceUnaffected,
  });
}
