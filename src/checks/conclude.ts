import type { WatchedConfig } from '../config/schema/watched.ts';
import type { Picture, UnitObservation } from '../connectors/picture.ts';
import { addressFamily } from '../core/addresses.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import { activationContextOf, type ActivationContext } from '../core/license/appliance.ts';
import { outageWarning } from '../core/license/firmware.ts';
import type { AppliancePolling, PollingReport } from '../core/polling/report.ts';
import { nameList } from '../core/visible-text.ts';
import { diagnose, isCorroborated, judgeStates } from '../engine/diagnose.ts';
import type { Incident } from '../engine/incident/incident.ts';
import type { Assessment, Cause, Diagnosis, Finding } from '../engine/model.ts';
import type { Facts, FaultSeen, HeardLog, UnheardLog } from './check.ts';
import { decidingPolicies } from './firewall-policy/judge.ts';
import { lastingSince, seenIn, unexplained, withLaterSeen, withoutSeen } from './polling/explained.ts';
import { mayAffectUnit } from './polling/judge.ts';
import { quantitiesOf } from './quantities.ts';
import { CHECKS, preconditionOf } from './registry.ts';
import { seemsUnaffected } from './tls-genuine/judge.ts';

interface SiteConfig extends WatchedConfig {
  readonly site: string;
  /** Absent if the defaults are used. */
  readonly file?: string;
}

type KnownFacts = Pick<Facts, 'round' | 'picture'> &
  Partial<Pick<Facts, 'ownClock' | 'deciding' | 'agent' | 'unconfirmed'>> & {
    readonly config: SiteConfig;
    /** Causes of the previous round. */
    readonly before?: readonly Cause[];
  };

interface Remembered extends Pick<HeardLog, 'faultsSeen' | 'lasting'> {
  readonly unreadSince: UnreadSince;
}

export const NOTHING_REMEMBERED: Remembered = { faultsSeen: [], lasting: [], unreadSince: new Map() };

export type LogPart = (Omit<HeardLog, 'preconditionOf'> & Remembered) | UnheardLog;

interface Conclusion extends Remembered {
  readonly diagnosis: Diagnosis;
}

/** Diagnoses a round together with the log, whose errors are judged last, because other faults can explain them. */
export function conclude({ config, before = [], ...known }: KnownFacts, log: LogPart): Conclusion {
  const at = known.round.observations.startedAt;
  const none = { ownClock: null, agent: null, deciding: null, unconfirmed: [], speaking: [] };
  const given = { ...none, ...known, config, at };
  if (log.kind === 'unheard') {
    const facts = { ...given, log };
    return { diagnosis: diagnosed(judgedBy(CHECKS, facts), facts, before), ...NOTHING_REMEMBERED };
  }
  const unreadSince = nextUnread(log.unreadSince, known.picture.appliances, at);
  const heard = { ...log, preconditionOf };
  const facts = { ...given, log: heard, speaking: speakingAppliances(unexplained(heard), unreadSince, at) };
  const others = judgedBy(BEFORE_LOG, facts);
  const states = judgeStates(others, CHECKS);
  const lasting = lastingSince(explainingFaults(others, states, at), log.lasting);
  const polling = judgedBy(OF_LOG, { ...facts, log: { ...heard, lasting } });
  const diagnosis = diagnosed([...others, ...polling], facts, before);
  // A suspected fault that a second round did not find again, such as a single lost connection, does not explain later
  // errors.
  const confirmed = [...lasting.filter(isConfirmedIn(diagnosis)), ...seenIn(lasting, log.lasting)];
  const isUnknown = ({ precondition }: FaultSeen): boolean => states.get(precondition)?.state === 'unknown';
  // Only a result ends a fault. If ftm-watch stalled, the lines of this time are still evidence for the same fault.
  const open = [...lasting, ...withoutSeen(log.lasting, lasting).filter(isUnknown)];
  return { diagnosis, faultsSeen: withLaterSeen(log.faultsSeen, confirmed), lasting: open, unreadSince };
}

type SiteFacts = Facts & { readonly config: SiteConfig };

function diagnosed(assessments: readonly Assessment[], facts: SiteFacts, before: readonly Cause[]): Diagnosis {
  return { ...diagnose(assessments, contextOf(facts, before)), quantities: quantitiesOf(facts) };
}

const OF_LOG = CHECKS.filter(({ sources }) => sources.includes('log'));
const BEFORE_LOG = CHECKS.filter((check) => !OF_LOG.includes(check));

function judgedBy(checks: typeof CHECKS, facts: Facts): readonly Assessment[] {
  return checks.map(({ id, judge }) => ({ id, ...judge(facts) }));
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

function contextOf(facts: SiteFacts, before: readonly Cause[]): Parameters<typeof diagnose>[1] {
  const { config, at, picture, deciding, log } = facts;
  const { host, port } = config.licenseServer;
  const unit = unitAddressText(config);
  return {
    checks: CHECKS,
    site: config.site,
    at,
    host,
    port,
    source: onlySourceOf(config),
    activation: activationOf(picture),
    // Also errors that a fault of before explains: the same fault may be back.
    applianceUnaffected: log.kind === 'heard' && seemsUnaffected(log.report),
    before,
    ...(deciding === null ? {} : { fresh: decidingPolicies(facts) ?? [] }),
    ...(config.file === undefined ? {} : { configFile: config.file }),
    ...(unit === null ? {} : { unit }),
  };
}

function activationOf({ appliances: units }: Picture): ActivationContext {
  const named = units.map(({ config: { name }, known = [] }) => ({ name, known }));
  return { ...activationContextOf(units), outageWarning: outageWarning(named) };
}

const MOST_ADDRESSES = 4;

function onlySourceOf({ firewall }: WatchedConfig): string | null {
  const [source, ...others] = new Set(firewall.map((entry) => entry.source));
  return source === undefined || others.length > 0 ? null : source;
}

/** If firewalls are configured, returns only the addresses that the firewalls see. */
function unitAddressText({ firewall, appliances }: WatchedConfig): string | null {
  const sources = unitAddresses({ firewall, appliances: firewall.length > 0 ? [] : appliances });
  return sources.length === 0 ? null : nameList(sources, MOST_ADDRESSES);
}

export function unitAddresses({
  firewall,
  appliances,
}: Pick<WatchedConfig, 'firewall' | 'appliances'>): readonly string[] {
  const sources = firewall.map(({ source }) => source);
  const others = appliances.flatMap(({ logSources, api }) => {
    const [address] = [...logSources, ...(api === null ? [] : [new URL(api.url).hostname])].filter(
      (candidate) => addressFamily(candidate) !== null,
    );
    return address ?? [];
  });
  return [...new Set([...sources, ...others])];
}

const EXPLAINING: ReadonlySet<string> = new Set(OF_LOG.flatMap(({ dependsOn }) => dependsOn.map(({ by }) => by)));

function explainingFaults(
  others: readonly Assessment[],
  states: ReturnType<typeof judgeStates>,
  at: EpochMs,
): readonly FaultSeen[] {
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
