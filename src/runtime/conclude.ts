import type { AgentHealth } from '../core/agent.ts';
import type { CertificateRejection } from '../core/polling/log-event.ts';
import type { Picture, UnitObservation } from '../connectors/picture.ts';
import type { Config } from '../config/config.ts';
import { addressFamily } from '../core/addresses.ts';
import { nameList } from '../core/visible-text.ts';
import type { Assessment, Cause, Diagnosis, Finding } from '../engine/model.ts';
import type { OwnClock } from '../core/observation.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import { isCorroborated, diagnose, judgeStates } from '../engine/diagnose.ts';
import { seemsUnaffected } from '../checks/tls-genuine/judge.ts';
import {
  complainedOf,
  type FaultSeen,
  lastingSince,
  seenIn,
  withLaterSeen,
  withoutExplained,
  withoutSeen,
} from '../checks/polling/explained.ts';
import { mayAffectUnit } from '../checks/polling/judge.ts';
import type { PollingReport, AppliancePolling } from '../core/polling/report.ts';
import type { OutsideFacts, Unheard } from '../checks/check.ts';
import { firewallPolicy } from '../checks/firewall-policy/judge.ts';
import { CHECKS, preconditionOf } from '../checks/registry.ts';
import { activationOf, adjusted, assessAgent, assessUnits, assessLog } from '../checks/assess.ts';
import type { Incident } from '../engine/incident/incident.ts';

interface RoundFindings {
  readonly config: Config;
  readonly at: EpochMs;
  readonly probed: readonly Assessment[];
  readonly picture: Picture;
  readonly ownClock?: OwnClock | null;
  /** Absent if this process is not the daemon. */
  readonly agent?: AgentHealth;
  /** Used to decide between two explanations. Excludes results from before the fault. @default `picture` */
  readonly deciding?: Picture;
  /** Causes of the previous round. */
  readonly before?: readonly Cause[];
}

interface Remembered {
  /** Faults that were found in two consecutive rounds, have a confirmed cause, or belong to an incident. */
  readonly faultsSeen: readonly FaultSeen[];
  /** Faults that are active in this round. */
  readonly lasting: readonly FaultSeen[];
  readonly unreadSince: UnreadSince;
}

export const NOTHING_REMEMBERED: Remembered = { faultsSeen: [], lasting: [], unreadSince: new Map() };

export type LogPart =
  | ({
      readonly kind: 'heard';
      readonly report: PollingReport;
      readonly unknownSenders: readonly string[];
      readonly certificateRejections?: readonly CertificateRejection[];
    } & Remembered)
  | ({ readonly kind: 'unheard' } & Unheard);

interface Conclusion extends Remembered {
  readonly diagnosis: Diagnosis;
}

/** Diagnoses a round together with the log, whose errors are judged last, because other faults can explain them. */
export function conclude(round: RoundFindings, log: LogPart): Conclusion {
  const { config, at } = round;
  if (log.kind === 'unheard') {
    const { others, context } = judgedBeside(round, NOTHING_HEARD);
    return { diagnosis: diagnose([...others, ...assessLog({ ...log, config })], context), ...NOTHING_REMEMBERED };
  }
  const { firewall, appliances, peers } = round.picture;
  const unreadSince = nextUnread(log.unreadSince, appliances, at);
  const over = withoutSeen(log.faultsSeen, log.lasting);
  const { report } = withoutExplained(log.report, () => over, preconditionOf);
  const { others, context } = judgedBeside(round, {
    log: { report, complainedOf: complainedOf(report, preconditionOf) },
    // Also errors that a fault of before explains: the same fault may be back.
    applianceUnaffected: seemsUnaffected(log.report),
    speaking: speakingAppliances(report, unreadSince, at),
  });
  const lasting = lastingSince(explainingFaults(others, at), log.lasting);
  const polling = assessLog({ ...log, config, firewall, units: appliances, peers, lasting, preconditionOf });
  const diagnosis = diagnose([...others, ...polling], context);
  // A suspected fault that a second round did not find again, such as a single lost connection, does not explain later
  // errors.
  const confirmed = [...lasting.filter(isConfirmedIn(diagnosis)), ...seenIn(lasting, log.lasting)];
  return { diagnosis, faultsSeen: withLaterSeen(log.faultsSeen, confirmed), lasting, unreadSince };
}

/**
 * Checks whose result comes from a single connection. A failure may be temporary, because a single lost connection
 * looks like a closed port. Checks of a received certificate are excluded, because their results are certain.
 */
const BY_ONE_CONNECTION: ReadonlySet<string> = new Set(
  CHECKS.filter(({ byOneConnection }) => byOneConnection === true).map(({ id }) => id),
);

function isConfirmedIn(diagnosis: Diagnosis): (fault: FaultSeen) => boolean {
  return (fault) =>
    diagnosis.causes.some(
      (cause) =>
        cause.precondition === fault.precondition &&
        cause.confidence === 'confirmed' &&
        isProven(cause, diagnosis) &&
        (!BY_ONE_CONNECTION.has(cause.precondition) || isCorroborated(diagnosis, cause)),
    );
}

function isProven({ id }: Cause, { preconditions }: Diagnosis): boolean {
  return preconditions.some(({ findings }) =>
    findings.some(({ suggests, level, unproven }) => suggests === id && level === 'broken' && unproven !== true),
  );
}

interface Heard extends Pick<OutsideFacts, 'log'> {
  readonly applianceUnaffected: boolean;
  /** Appliances that run, as reliable log lines show. */
  readonly speaking: readonly string[];
}

const NOTHING_HEARD: Heard = { log: null, applianceUnaffected: false, speaking: [] };

interface JudgedBeside {
  /** The result of every check except that of the log. */
  readonly others: readonly Assessment[];
  readonly context: Parameters<typeof diagnose>[1];
}

function judgedBeside(
  { config, at, probed, picture, deciding, agent, before = [], ownClock = null }: RoundFindings,
  { log, speaking, applianceUnaffected }: Heard,
): JudgedBeside {
  const { host, port } = config.licenseServer;
  const unit = unitAddressText(config);
  const asked = { config, at, speaking, ownClock };
  const units = assessUnits({ ...asked, picture });
  const fresh = deciding === undefined ? undefined : assessUnits({ ...asked, picture: deciding });
  const policies = policiesOf(units) === null ? null : policiesOf(fresh ?? units);
  return {
    others: [
      ...adjusted(probed, { licenseServer: config.licenseServer, picture, log, policies }),
      ...units,
      ...assessAgent(agent ?? null),
    ],
    context: {
      checks: CHECKS,
      site: config.site,
      at,
      host,
      port,
      source: onlySourceOf(config),
      activation: activationOf(picture),
      applianceUnaffected,
      before,
      ...(fresh === undefined ? {} : { fresh: fresh.flatMap(({ findings }) => findings) }),
      ...(config.file === undefined ? {} : { configFile: config.file }),
      ...(unit === null ? {} : { unit }),
    },
  };
}

function policiesOf(units: readonly Assessment[]): OutsideFacts['policies'] {
  const own = units.find(({ id }) => id === firewallPolicy.id);
  return own?.kind === 'judged' ? own.findings : null;
}

const MOST_ADDRESSES = 4;

function onlySourceOf({ firewall }: Config): string | null {
  const [source, ...others] = new Set(firewall.map((entry) => entry.source));
  return source === undefined || others.length > 0 ? null : source;
}

/** If firewalls are configured, returns only the addresses that the firewalls see. */
function unitAddressText({ firewall, appliances }: Config): string | null {
  const sources = unitAddresses({ firewall, appliances: firewall.length > 0 ? [] : appliances });
  return sources.length === 0 ? null : nameList(sources, MOST_ADDRESSES);
}

export function unitAddresses({ firewall, appliances }: Pick<Config, 'firewall' | 'appliances'>): readonly string[] {
  const sources = firewall.map(({ source }) => source);
  const others = appliances.flatMap(({ logSources, api }) => {
    const [address] = [...logSources, ...(api === null ? [] : [new URL(api.url).hostname])].filter(
      (candidate) => addressFamily(candidate) !== null,
    );
    return address ?? [];
  });
  return [...new Set([...sources, ...others])];
}

const EXPLAINING: ReadonlySet<string> = new Set(
  CHECKS.filter(({ from }) => from === 'log').flatMap(({ dependsOn }) => dependsOn.map(({ by }) => by)),
);

function explainingFaults(others: readonly Assessment[], at: EpochMs): readonly FaultSeen[] {
  const states = judgeStates(others, CHECKS);
  return others
    .filter(({ id }) => EXPLAINING.has(id))
    .flatMap(({ id: precondition, findings }) => {
      const isBroken = states.get(precondition)?.state === 'broken';
      const explaining = findings.filter((finding) => explains(finding, isBroken));
      return sufferers(explaining).map((appliance) => ({ precondition, appliance, since: at, at }));
    });
}

/** Findings that anybody can have caused explain nothing. */
function explains(finding: Finding, isBroken: boolean): boolean {
  return mayAffectUnit(finding) || (isBroken && finding.level === 'broken' && finding.unproven !== true);
}

function sufferers(faults: readonly Finding[]): readonly (string | null)[] {
  return [...new Set(faults.flatMap(({ concerns }): readonly (string | null)[] => concerns ?? [null]))];
}

/** Used after a restart. The appliance is null, because incidents do not record which appliance was affected. */
export function rememberedFrom(incidents: readonly Incident[]): Remembered {
  const explaining = incidents.filter(({ cause }) => EXPLAINING.has(cause.precondition));
  const faultOf = ({ cause: { precondition }, since, lastSeen }: Incident): FaultSeen => ({
    precondition,
    appliance: null,
    since,
    at: lastSeen,
  });
  return {
    ...NOTHING_REMEMBERED,
    faultsSeen: explaining.map(faultOf),
    lasting: explaining.filter(({ status }) => status === 'open').map(faultOf),
  };
}

/** The time since which all queries to an appliance's API have failed, by appliance name. */
type UnreadSince = ReadonlyMap<string, EpochMs>;

function nextUnread(before: UnreadSince, units: readonly UnitObservation[], now: EpochMs): UnreadSince {
  const failing = units.filter(({ rest }) => rest?.kind === 'failed');
  return new Map(failing.map(({ config: { name } }) => [name, before.get(name) ?? now]));
}

/**
 * Maximum age of a log line that shows that an appliance is running, even if its API began to fail after the line
 * arrived. By default, this time covers two API queries. If the appliance itself fails, its log also stops.
 */
const LOG_EVIDENCE_AGE: Millis = 10 * 60_000;

/** An appliance that rarely sends lines is considered silent only after `logs.silentAfter`. */
function speakingAppliances({ appliances }: PollingReport, unread: UnreadSince, now: EpochMs): readonly string[] {
  return appliances
    .filter((appliance) => speaks(appliance, unread.get(appliance.name) ?? now, now))
    .map(({ name }) => name);
}

function speaks({ reliableLineAt, silent }: AppliancePolling, unreadSince: EpochMs, now: EpochMs): boolean {
  if (reliableLineAt === null || silent) return false;
  return reliableLineAt > unreadSince || now - reliableLineAt <= LOG_EVIDENCE_AGE;
}
