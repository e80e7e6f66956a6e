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

/** What was found out in one round, except for the log. */
interface RoundFindings {
  readonly config: Config;
  /** When the round began. */
  readonly at: EpochMs;
  readonly probed: readonly Assessment[];
  readonly picture: Picture;
  /** Our own clock, as this round found it; null or absent: it did not. */
  readonly ownClock?: OwnClock | null;
  /** What may decide between two explanations: without answers that are older than the fault. @default `picture` */
  readonly deciding?: Picture;
}

/** What one round leaves for the next. */
export interface Remembered {
  /** Those that two rounds in a row have shown, whose cause was confirmed at once, or that an incident had. */
  readonly faultsSeen: readonly FaultSeen[];
  /** Those that this round showed. */
  readonly lasting: readonly FaultSeen[];
  readonly unreadSince: UnreadSince;
}

export const NOTHING_REMEMBERED: Remembered = { faultsSeen: [], lasting: [], unreadSince: new Map() };

/** What the log adds to a round. */
export type LogPart =
  | ({
      readonly kind: 'heard';
      readonly report: PollingReport;
      /** Unknown senders whose lines were refused. */
      readonly strangers: readonly string[];
    } & Remembered)
  /** Nobody listened. */
  | ({ readonly kind: 'unheard' } & Unheard);

export interface Conclusion extends Remembered {
  readonly diagnosis: Diagnosis;
}

/**
 * Reasons over a round together with the log. What FortiAuthenticator complained of while a fault lasted that can cause
 * it is explained by that fault, also afterwards. What only lasting faults explain is their evidence, unless there is
 * more that they do not.
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
  // What is only suspected and no second round shows, as a single lost connection, explains nothing afterwards.
  const confirmed = [...lasting.filter(isConfirmedIn(diagnosis)), ...seenIn(lasting, log.lasting)];
  const remembered = { faultsSeen: withLaterSeen(log.faultsSeen, confirmed), lasting, unreadSince };
  const unexplained = withoutExplained(log.report, withLaterSeen(log.faultsSeen, lasting), preconditionOf);
  if (hasErrors(unexplained.report))
    return { diagnosis: withPolling(assessed(unexplained).map(explainedByNothing)), ...remembered };
  const others = withoutExplained(log.report, withoutSeen(log.faultsSeen, lasting), preconditionOf);
  return { diagnosis: others.notes.length === 0 ? diagnosis : withPolling(assessed(others)), ...remembered };
}

/** One lost connection looks like a shut port, and the next one may be open. A certificate that was shown was there. */
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

/** What the log tells beside its own judgement. */
interface Heard extends Pick<Everything, 'log'> {
  readonly applianceUnaffected: boolean;
  /** Names of the appliances whose log has arrived until now. */
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

/** Null: nobody looked at them. */
function policiesOf(units: readonly Assessment[]): Everything['policies'] {
  const own = units.find(({ id }) => id === firewallPolicy.id);
  return own?.kind === 'judged' ? own.findings : null;
}

/** As many fit into a sentence. */
const MOST_ADDRESSES = 4;

/** Where units have addresses of their own, none stands for all. */
function onlySourceOf({ firewall }: Config): string | null {
  const [source, ...others] = new Set(firewall.map((entry) => entry.source));
  return source === undefined || others.length > 0 ? null : source;
}

/** Addresses for a sentence: those that firewalls see; without a firewall, those that the log or the API have. */
function unitAddressText({ firewall, appliances }: Config): string | null {
  const sources = unitAddresses({ firewall, appliances: firewall.length > 0 ? [] : appliances });
  return sources.length === 0 ? null : nameList(sources, MOST_ADDRESSES);
}

/** Addresses of the units: those that firewalls see, and those that the log or the API have. */
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

/** What is broken that makes FortiAuthenticator complain in its log. */
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

/** When such faults were seen last, as the incidents remember it over a restart. They do not tell who suffered. */
export function lastExplainingFaults(incidents: readonly Incident[]): readonly FaultSeen[] {
  return incidents
    .filter(({ cause }) => EXPLAINING.has(cause.precondition))
    .map(({ cause: { precondition }, lastSeen }) => ({ precondition, appliance: null, at: lastSeen }));
}

/** By name: since when the API of an appliance has failed at each look. */
type UnreadSince = ReadonlyMap<string, EpochMs>;

function nextUnread(before: UnreadSince, units: readonly UnitObservation[], now: EpochMs): UnreadSince {
  const failing = units.filter(({ rest }) => rest?.kind === 'failed');
  return new Map(failing.map(({ config: { name } }) => [name, before.get(name) ?? now]));
}

/**
 * The log of one that dies ends with its API: so long the last lines of before are believed, two looks at the API by
 * default.
 */
const BELIEVED_FOR: Millis = 10 * 60_000;

/**
 * Names of the appliances whose log shows that they are there: a line arrived after their API began to fail, so that it
 * outlived the API, or just before. A log that seldom speaks is silent only when nothing came for `logs.silentAfter`.
 */
function speakingAppliances({ appliances }: PollingReport, unread: UnreadSince, now: EpochMs): readonly string[] {
  return appliances
    .filter((appliance) => speaks(appliance, unread.get(appliance.name) ?? now, now))
    .map(({ name }) => name);
}

function speaks({ lastLineAt, silent }: AppliancePolling, unreadSince: EpochMs, now: EpochMs): boolean {
  if (lastLineAt === null || silent) return false;
  return lastLineAt > unreadSince || now - lastLineAt <= BELIEVED_FOR;
}
