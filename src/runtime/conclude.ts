import type { Picture, UnitObservation } from '../connectors/picture.ts';
import type { Config } from '../config/config.ts';
import { addressFamily } from '../core/addresses.ts';
import { nameList } from '../core/phrases.ts';
import type { Assessment, Diagnosis, Finding } from '../engine/model.ts';
import { isSmallShare } from '../checks/intermittent/finding.ts';
import type { OwnClock } from '../checks/clock/estimate.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import { isCorroborated, diagnose } from '../engine/diagnose.ts';
import { seemsUnaffected } from '../checks/tls-genuine/judge.ts';
import {
  complainedOf,
  seenIn,
  withLaterSeen,
  withoutExplained,
  withoutSeen,
  type FaultSeen,
  type UnexplainedPolling,
} from '../checks/polling/explained.ts';
import type { PollingReport, AppliancePolling } from '../core/polling/report.ts';
import type { Everything, Unheard } from '../checks/check.ts';
import { firewallPolicy } from '../checks/firewall-policy/judge.ts';
import { CHECKS, preconditionOf } from '../checks/registry.ts';
import { activationOf, adjusted, assessUnits, assessLog } from '../checks/assess.ts';
import type { Incident } from '../engine/incident/incident.ts';

/** Results of one round, without the log. */
interface RoundFindings {
  readonly config: Config;
  /** Time when the round began. */
  readonly at: EpochMs;
  readonly probed: readonly Assessment[];
  readonly picture: Picture;
  /** The local clock according to this round. Null or absent if the local clock has not been checked. */
  readonly ownClock?: OwnClock | null;
  /**
   * The observations that can decide between two explanations. Results older than the fault are excluded. @default
   * `picture`
   */
  readonly deciding?: Picture;
}

/** Data that one round keeps for the next round. */
interface Remembered {
  /**
   * Faults that were found in two consecutive rounds, whose cause was confirmed immediately, or that belong to an
   * incident.
   */
  readonly faultsSeen: readonly FaultSeen[];
  /** Faults that were found in this round. */
  readonly lasting: readonly FaultSeen[];
  readonly unreadSince: UnreadSince;
}

export const NOTHING_REMEMBERED: Remembered = { faultsSeen: [], lasting: [], unreadSince: new Map() };

/** The log's contribution to a round. */
export type LogPart =
  | ({
      readonly kind: 'heard';
      readonly report: PollingReport;
      /** Unknown senders whose lines were rejected. */
      readonly strangers: readonly string[];
    } & Remembered)
  /** No log is received. */
  | ({ readonly kind: 'unheard' } & Unheard);

interface Conclusion extends Remembered {
  readonly diagnosis: Diagnosis;
}

/**
 * Draws conclusions from a round together with the log. A fault explains an error that FortiAuthenticator reported
 * while the fault was active, if the fault can cause this error. The explanation remains valid after the fault has
 * ended. Errors that only active faults explain are evidence for these faults. Errors are not evidence if there are
 * further errors that active faults do not explain.
 */
export function conclude(round: RoundFindings, log: LogPart): Conclusion {
  const { config, at } = round;
  if (log.kind === 'unheard')
    return { diagnosis: diagnosed(round, assessLog({ ...log, config }), NOTHING_HEARD), ...NOTHING_REMEMBERED };
  const { firewall, appliances } = round.picture;
  const facts = { ...log, config, firewall, units: appliances, notes: [], preconditionOf };
  const unreadSince = nextUnread(log.unreadSince, round.picture.appliances, at);
  const heard = {
    log: { report: log.report, complainedOf: complainedOf(log.report, preconditionOf) },
    applianceUnaffected: seemsUnaffected(log.report),
    speaking: speakingAppliances(log.report, unreadSince, at),
  };
  const withPolling = (polling: readonly Assessment[]): Diagnosis => diagnosed(round, polling, heard);
  const assessed = (heardAgain: UnexplainedPolling): readonly Assessment[] => assessLog({ ...facts, ...heardAgain });
  const diagnosis = withPolling(assessed({ report: log.report, notes: [] }));
  const lasting = explainingFaults(diagnosis);
  // A fault that is only suspected and was not found in a second round, such as a single lost connection, does not
  // explain later errors.
  const confirmed = [...lasting.filter(isConfirmedIn(diagnosis)), ...seenIn(lasting, log.lasting)];
  const remembered = { faultsSeen: withLaterSeen(log.faultsSeen, confirmed), lasting, unreadSince };
  const unexplained = withoutExplained(log.report, withLaterSeen(log.faultsSeen, lasting), preconditionOf);
  if (hasErrors(unexplained.report))
    return { diagnosis: withPolling(assessed(unexplained).map(explainedByNothing)), ...remembered };
  const others = withoutExplained(log.report, withoutSeen(log.faultsSeen, lasting), preconditionOf);
  return { diagnosis: others.notes.length === 0 ? diagnosis : withPolling(assessed(others)), ...remembered };
}

/**
 * Checks with results from a single connection. A lost connection looks like a closed port, but the next connection may
 * succeed. A received certificate is certain.
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
        (!BY_ONE_CONNECTION.has(cause.precondition) || isCorroborated(diagnosis, cause)),
    );
}

function explainedByNothing(polling: Assessment): Assessment {
  return { ...polling, findings: polling.findings.map((finding) => ({ ...finding, explainedBy: [] })) };
}

function hasErrors({ appliances }: PollingReport): boolean {
  return appliances.some(({ errors }) => errors.some(({ severity }) => severity !== 'info'));
}

/** Information from the log, in addition to the log's own assessment. */
interface Heard extends Pick<Everything, 'log'> {
  readonly applianceUnaffected: boolean;
  /** Names of the appliances whose log lines have arrived until now. */
  readonly speaking: readonly string[];
}

const NOTHING_HEARD: Heard = { log: null, applianceUnaffected: false, speaking: [] };

function diagnosed(
  { config, at, probed, picture, deciding, ownClock = null }: RoundFindings,
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
    [...adjusted(probed, { licenseServer: config.licenseServer, picture, log, policies }), ...units, ...polling],
    {
      checks: CHECKS,
      site: config.site,
      at,
      host,
      port,
      source: onlySourceOf(config),
      activation: activationOf(picture),
      applianceUnaffected,
      ...(fresh === undefined ? {} : { fresh: fresh.flatMap(({ findings }) => findings) }),
      ...(config.file === undefined ? {} : { configFile: config.file }),
      ...(unit === null ? {} : { unit }),
    },
  );
}

/** Returns null if the policies were not checked. */
function policiesOf(units: readonly Assessment[]): Everything['policies'] {
  const own = units.find(({ id }) => id === firewallPolicy.id);
  return own?.kind === 'judged' ? own.findings : null;
}

/** Maximum number of addresses in a sentence. */
const MOST_ADDRESSES = 4;

/**
 * Returns the source address if there is only one. If units have different addresses, none of them represents all
 * units.
 */
function onlySourceOf({ firewall }: Config): string | null {
  const [source, ...others] = new Set(firewall.map((entry) => entry.source));
  return source === undefined || others.length > 0 ? null : source;
}

/**
 * Returns the addresses for a sentence. If firewalls are configured, returns the addresses that firewalls see,
 * otherwise the addresses from the log or the API.
 */
function unitAddressText({ firewall, appliances }: Config): string | null {
  const sources = unitAddresses({ firewall, appliances: firewall.length > 0 ? [] : appliances });
  return sources.length === 0 ? null : nameList(sources, MOST_ADDRESSES);
}

/** Returns the addresses of the units, as seen by firewalls, in the log and in the API. */
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

/** Returns the faults that cause errors in FortiAuthenticator's log. */
function explainingFaults({ preconditions, at }: Diagnosis): readonly FaultSeen[] {
  return preconditions
    .filter(({ id, state, findings }) => EXPLAINING.has(id) && (state === 'broken' || findings.some(isSmallShare)))
    .flatMap(({ id: precondition, findings }) =>
      sufferers(findings).map((appliance) => ({ precondition, appliance, at })),
    );
}

function sufferers(findings: readonly Finding[]): readonly (string | null)[] {
  const faults = findings.filter((finding) => finding.level === 'broken' || isSmallShare(finding));
  return [...new Set(faults.flatMap(({ concerns }): readonly (string | null)[] => concerns ?? [null]))];
}

/**
 * Returns the times when such faults were last seen, from the incidents that are kept across a restart. Incidents do
 * not record which appliance was affected.
 */
export function lastExplainingFaults(incidents: readonly Incident[]): readonly FaultSeen[] {
  return incidents
    .filter(({ cause }) => EXPLAINING.has(cause.precondition))
    .map(({ cause: { precondition }, lastSeen }) => ({ precondition, appliance: null, at: lastSeen }));
}

/** Time since which every check of an appliance's API has failed, by appliance name. */
type UnreadSince = ReadonlyMap<string, EpochMs>;

function nextUnread(before: UnreadSince, units: readonly UnitObservation[], now: EpochMs): UnreadSince {
  const failing = units.filter(({ rest }) => rest?.kind === 'failed');
  return new Map(failing.map(({ config: { name } }) => [name, before.get(name) ?? now]));
}

/**
 * Time for which earlier log lines show that an appliance is running. By default, this time covers two API checks. When
 * an appliance fails, its log ends at the same time as its API.
 */
const LOG_EVIDENCE_AGE: Millis = 10 * 60_000;

/**
 * Returns the names of the appliances whose log shows that they are running. An appliance is running if a line arrived
 * after or shortly before its API began to fail. A log with rare lines counts as silent only after `logs.silentAfter`
 * without a line.
 */
function speakingAppliances({ appliances }: PollingReport, unread: UnreadSince, now: EpochMs): readonly string[] {
  return appliances
    .filter((appliance) => speaks(appliance, unread.get(appliance.name) ?? now, now))
    .map(({ name }) => name);
}

function speaks({ lastLineAt, silent }: AppliancePolling, unreadSince: EpochMs, now: EpochMs): boolean {
  if (lastLineAt === null || silent) return false;
  return lastLineAt > unreadSince || now - lastLineAt <= LOG_EVIDENCE_AGE;
}
