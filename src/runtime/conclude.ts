import type { AgentHealth } from '../core/agent.ts';
import type { CertificateRejection } from '../core/polling/log-event.ts';
import type { Picture, UnitObservation } from '../connectors/picture.ts';
import type { Config } from '../config/config.ts';
import { addressFamily } from '../core/addresses.ts';
import { nameList } from '../core/visible-text.ts';
import type { Assessment, Cause, Diagnosis, Finding, PreconditionState } from '../engine/model.ts';
import type { OwnClock } from '../core/observation.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import { isCorroborated, diagnose } from '../engine/diagnose.ts';
import { seemsUnaffected } from '../checks/tls-genuine/judge.ts';
import {
  complainedOf,
  lastingSince,
  mayAffectUnit,
  seenIn,
  withLaterSeen,
  withoutExplained,
  withoutSeen,
  type FaultSeen,
  type UnexplainedPolling,
} from '../checks/polling/judge.ts';
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

/**
 * Diagnoses a round together with the log. A fault explains an error in FortiAuthenticator's log if it can cause this
 * error and was active at that time. The explanation remains valid after the fault has ended, and its errors are never
 * evidence for a later fault. If active faults explain all other errors, these errors count as evidence for these
 * faults. If active faults explain only some of the errors, the errors do not count as evidence. This applies
 * separately to reliable lines and to lines that anybody can write.
 */
export function conclude(round: RoundFindings, log: LogPart): Conclusion {
  const { config, at } = round;
  if (log.kind === 'unheard')
    return { diagnosis: diagnosed(round, assessLog({ ...log, config }), NOTHING_HEARD), ...NOTHING_REMEMBERED };
  const { firewall, appliances, peers } = round.picture;
  const facts = { ...log, config, firewall, units: appliances, peers, notes: [], preconditionOf };
  const unreadSince = nextUnread(log.unreadSince, round.picture.appliances, at);
  const over = withoutSeen(log.faultsSeen, log.lasting);
  const { report } = withoutExplained(log.report, over, preconditionOf);
  const heard = {
    log: { report, complainedOf: complainedOf(report, preconditionOf) },
    // Also errors that a fault of before explains: the same fault may be back.
    applianceUnaffected: seemsUnaffected(log.report),
    speaking: speakingAppliances(report, unreadSince, at),
  };
  const withPolling = (polling: readonly Assessment[]): Diagnosis => diagnosed(round, polling, heard);
  const assessed = (heardAgain: UnexplainedPolling): readonly Assessment[] => assessLog({ ...facts, ...heardAgain });
  const diagnosis = withPolling(assessed({ report, notes: [] }));
  const lasting = lastingSince(explainingFaults(diagnosis), log.lasting);
  // A suspected fault that a second round did not find again, such as a single lost connection, does not explain later
  // errors.
  const confirmed = [...lasting.filter(isConfirmedIn(diagnosis)), ...seenIn(lasting, log.lasting)];
  const remembered = { faultsSeen: withLaterSeen(log.faultsSeen, confirmed), lasting, unreadSince };
  const proven = separated(partOf(log.report, true), log.faultsSeen, lasting);
  const unproven = separated(partOf(log.report, false), log.faultsSeen, lasting);
  const parts = [proven, unproven];
  if (parts.every(({ isOpen, notes }) => !isOpen && notes.length === 0)) return { diagnosis, ...remembered };
  const isOpen = (finding: Finding): boolean => (finding.unproven === true ? unproven : proven).isOpen;
  const told = assessed(joined(log.report, parts)).map((own) => ({
    ...own,
    findings: own.findings.map((finding) => (isOpen(finding) ? { ...finding, explainedBy: [] } : finding)),
  }));
  return { diagnosis: withPolling(told), ...remembered };
}

interface PollingPart extends UnexplainedPolling {
  /** True if active faults do not explain all of its errors. */
  readonly isOpen: boolean;
}

function separated(part: PollingReport, faultsSeen: readonly FaultSeen[], lasting: readonly FaultSeen[]): PollingPart {
  const unexplained = withoutExplained(part, withLaterSeen(faultsSeen, lasting), preconditionOf);
  if (hasErrors(unexplained.report)) return { ...unexplained, isOpen: true };
  return { ...withoutExplained(part, withoutSeen(faultsSeen, lasting), preconditionOf), isOpen: false };
}

function partOf(report: PollingReport, reliable: boolean): PollingReport {
  const appliances = report.appliances.map((appliance) => ({
    ...appliance,
    errors: appliance.errors.filter((error) => error.reliable === reliable),
  }));
  return { ...report, appliances };
}

function joined(report: PollingReport, parts: readonly UnexplainedPolling[]): UnexplainedPolling {
  const appliances = report.appliances.map((appliance, index) => ({
    ...appliance,
    errors: parts.flatMap((part) => part.report.appliances[index]?.errors ?? []),
  }));
  return { report: { ...report, appliances }, notes: parts.flatMap(({ notes }) => notes) };
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

function hasErrors({ appliances }: PollingReport): boolean {
  return appliances.some(({ errors }) => errors.some(({ severity }) => severity !== 'info'));
}

interface Heard extends Pick<OutsideFacts, 'log'> {
  readonly applianceUnaffected: boolean;
  /** Appliances that run, as reliable log lines show. */
  readonly speaking: readonly string[];
}

const NOTHING_HEARD: Heard = { log: null, applianceUnaffected: false, speaking: [] };

function diagnosed(
  { config, at, probed, picture, deciding, agent, before = [], ownClock = null }: RoundFindings,
  polling: readonly Assessment[],
  { log, speaking, applianceUnaffected }: Heard,
): Diagnosis {
  const { host, port } = config.licenseServer;
  const unit = unitAddressText(config);
  const asked = { config, at, speaking, ownClock };
  const units = assessUnits({ ...asked, picture });
  const fresh = deciding === undefined ? undefined : assessUnits({ ...asked, picture: deciding });
  const policies = policiesOf(units) === null ? null : policiesOf(fresh ?? units);
  return diagnose(
    [
      ...adjusted(probed, { licenseServer: config.licenseServer, picture, log, policies }),
      ...units,
      ...polling,
      ...assessAgent(agent ?? null),
    ],
    {
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
  );
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

function explainingFaults({ preconditions, at }: Diagnosis): readonly FaultSeen[] {
  return preconditions
    .filter(({ id }) => EXPLAINING.has(id))
    .flatMap(({ id: precondition, state, findings }) =>
      sufferers(findings.filter((finding) => explains(finding, state))).map((appliance) => ({
        precondition,
        appliance,
        since: at,
        at,
      })),
    );
}

/** Findings that anybody can have caused explain nothing. */
function explains(finding: Finding, state: PreconditionState): boolean {
  return mayAffectUnit(finding) || (state === 'broken' && finding.level === 'broken' && finding.unproven !== true);
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
