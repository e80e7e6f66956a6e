import {
  type Cause,
  type Check,
  type Diagnosis,
  type PreconditionStatus,
  type Finding,
  isFault,
  type RemedyStep,
  sentenceStep,
  impactOf,
} from '../model.ts';
import type { EpochMs, Millis } from '../../core/clock.ts';
import { isCorroborated } from '../diagnose.ts';
import {
  sameCause,
  sameFault,
  type CausePresence,
  isOpenFault,
  type Incident,
  type IncidentState,
  type Unjudged,
  type Silence,
  type Notification,
} from './incident.ts';
import { visibleText } from '../../core/visible-text.ts';
import { spanText } from '../../core/time-text.ts';
import { evidenceLine, UNKNOWN_CAUSE, UNKNOWN_WORDS } from '../words.ts';
import { remedyOf, ANY_SERVER, stepsWhenUnknown } from '../remedy-words.ts';

export interface RoundView {
  readonly diagnosis: Diagnosis;
  /** Limited in size. One for each fault. */
  readonly causes: readonly Cause[];
  /** Causes on which two witnesses agree. */
  readonly corroborated: readonly Cause[];
  readonly fresh: readonly string[] | null;
  readonly partlyFresh?: PartlyFresh;
  readonly checks: readonly Check[];
  readonly lastJudged?: LastJudged;
}

/** Preconditions for which several systems are queried separately. */
export interface PartlyFresh {
  /** Causes on systems that were queried again. */
  readonly seen: readonly Cause[];
  /**
   * Preconditions for which all systems have been queried again, which means that a cause that is no longer detected
   * is absent.
   */
  readonly gone: readonly string[];
}

/** Last earlier round that checked each precondition, by precondition ID. Kept only in memory. */
export type LastJudged = ReadonlyMap<string, Diagnosis>;

export function withLastJudged(
  lastJudged: LastJudged,
  diagnosis: Diagnosis,
  fresh: readonly string[] | null,
): LastJudged {
  const judged = diagnosis.preconditions.filter(
    ({ id, state }) => (fresh === null || fresh.includes(id)) && state !== 'unknown' && state !== 'blocked',
  );
  return new Map([...lastJudged, ...judged.map(({ id }) => [id, diagnosis] as const)]);
}

/**
 * Returns the time of the last earlier round that checked the cause's precondition, if that round did not detect the
 * cause.
 */
export function lastClear(cause: Cause, { diagnosis, lastJudged, checks }: RoundView): EpochMs | null {
  const last = lastJudged?.get(cause.precondition);
  // If the clock was set back, the earlier round may have a later time than this round.
  if (last === undefined || last.at > diagnosis.at) return null;
  return presenceOf(cause, roundView({ diagnosis: last, fresh: null, checks })) === 'absent' ? last.at : null;
}

/** No real configuration has this many causes, so a larger number may be an attack. */
const MAX_CAUSES = 200;

export function roundView({ diagnosis, ...known }: Omit<RoundView, 'causes' | 'corroborated'>): RoundView {
  const { unproven = [] } = diagnosis;
  const isUnproven = (cause: Cause): boolean => unproven.some((other) => sameCause(other, cause));
  const all = diagnosis.causes.slice(0, MAX_CAUSES);
  // What anybody can write displaces no proven cause of the same fault.
  const causes = all.toSorted((a, b) => Number(isUnproven(a)) - Number(isUnproven(b))).map(boundCause);
  const isFirst = (cause: Cause, index: number): boolean =>
    causes.findIndex((other) => sameFault(other, cause)) === index;
  const corroborated = all.filter((cause) => isCorroborated(diagnosis, cause)).map(boundCause);
  return { ...known, diagnosis, causes: causes.filter(isFirst), corroborated };
}

/**
 * A cause is `absent` only if its precondition was checked, or is no longer configured: the systems that would be
 * queried for it may not be configured either.
 */
export function presenceOf(cause: Cause, view: RoundView): CausePresence {
  const isSeen = view.causes.some((other) => sameFault(other, cause));
  const status = view.diagnosis.preconditions.find(({ id }) => id === cause.precondition);
  if (status?.state !== 'not-configured' && !isFreshOf(cause, isSeen, view)) return 'unjudged';
  if (isSeen) return 'seen';
  return status === undefined ? 'unjudged' : presenceOfMissing(cause, status);
}

function presenceOfMissing(cause: Cause, status: PreconditionStatus): CausePresence {
  switch (status.state) {
    case 'unknown':
      return 'unjudged';
    case 'blocked':
      return 'hidden';
    case 'ok':
    case 'warning':
    case 'broken':
      if (status.findings.some((finding) => shows(finding, cause))) return 'hidden';
      return status.findings.some(({ subject, level }) => level === 'unknown' && subject === cause.subject)
        ? 'unjudged'
        : 'absent';
    case 'not-configured':
      return 'absent';
  }
}

/** The cause may still be present as evidence for a more severe cause. */
export function showsStill(cause: Cause, view: RoundView): boolean {
  return view.diagnosis.preconditions.some(
    ({ id, findings }) => id === cause.precondition && findings.some((finding) => shows(finding, cause)),
  );
}

function shows(finding: Finding, cause: Cause): boolean {
  return isFault(finding) && finding.subject === cause.subject;
}

/** Some sources are queried less often than once per round. */
function isFresh(precondition: string, { fresh }: Pick<RoundView, 'fresh'>): boolean {
  return fresh === null || fresh.includes(precondition);
}

function isFreshOf(cause: Cause, isSeen: boolean, view: RoundView): boolean {
  const { partlyFresh } = view;
  if (isFresh(cause.precondition, view)) return true;
  if (partlyFresh === undefined) return false;
  return isSeen
    ? partlyFresh.seen.some((other) => sameFault(other, cause))
    : partlyFresh.gone.includes(cause.precondition);
}

const MAX_LINE = 500;
const MAX_NAME = 256;
const MAX_LINES = 12;
const MAX_BLOCK_LINES = 60;

/** Limits the text fields, which quote log lines, host names and certificates from untrusted parties. */
function boundCause(cause: Cause): Cause {
  return {
    ...cause,
    subject: visibleText(cause.subject, MAX_NAME),
    product: cause.product === null ? null : visibleText(cause.product, MAX_NAME),
    summary: visibleText(cause.summary, MAX_LINE),
    impact: visibleText(cause.impact, MAX_LINE),
    ...(cause.policyReport === undefined ? {} : { policyReport: visibleText(cause.policyReport, MAX_LINE) }),
    evidence: boundLines(cause.evidence),
    consequences: cause.consequences.slice(0, MAX_LINES),
    remedy: boundLines(cause.remedy),
    remedySteps: boundSteps(cause.remedySteps),
  };
}

function boundSteps(steps: readonly RemedyStep[]): readonly RemedyStep[] {
  const kept = steps.slice(0, MAX_LINES).map(boundStep);
  const more = steps.length - kept.length;
  return more > 0 ? [...kept, sentenceStep(moreText(more))] : kept;
}

/** A command block that is too long is removed instead of truncated, because users might run a truncated block. */
function boundStep(step: RemedyStep): RemedyStep {
  const text = visibleText(step.text, MAX_LINE);
  const isFit = [step.commands ?? '', step.undo ?? ''].every(isFitBlock);
  return isFit ? { ...step, text } : sentenceStep(text);
}

function isFitBlock(block: string): boolean {
  const lines = block.split('\n');
  return lines.length <= MAX_BLOCK_LINES && lines.every((line) => visibleText(line, MAX_LINE) === line);
}

function moreText(more: number): string {
  return `… and ${String(more)} more`;
}

function boundLines(lines: readonly string[]): readonly string[] {
  const kept = lines.slice(0, MAX_LINES).map((line) => visibleText(line, MAX_LINE));
  const more = lines.length - kept.length;
  return more > 0 ? [...kept, moreText(more)] : kept;
}

const PATIENCE: Millis = 15 * 60_000;
/** After this many checks without a result, it is unknown whether an open incident continues. */
const FEWEST_CHECKS = 3;
/** After a longer gap between checks, for example while the daemon was stopped, the count is reset. */
const LONGEST_GAP: Millis = 60 * 60_000;

/** The record survives restarts. */
export function followUnjudged({ unjudged }: IncidentState, view: RoundView): readonly Unjudged[] {
  const { diagnosis } = view;
  const { at } = diagnosis;
  return diagnosis.preconditions
    .filter(({ state }) => state === 'unknown')
    .map(({ id }) => {
      const known = unjudged.find(({ precondition }) => precondition === id);
      const goesOn = known !== undefined && known.since <= at && at - known.at < LONGEST_GAP;
      const checked = (goesOn ? known.checked : 0) + (isFresh(id, view) ? 1 : 0);
      return { precondition: id, since: goesOn ? known.since : at, at, checked };
    });
}

/**
 * Warns about preconditions that have been unknown for a long time, unless an open incident explains this. After
 * several checks without a result, an incident with the same precondition no longer counts as an explanation.
 */
export function unknownCauses(
  unjudged: readonly Unjudged[],
  { incidents }: IncidentState,
  view: RoundView,
): readonly Cause[] {
  const { diagnosis, checks } = view;
  const known = incidents.filter((incident) => isOpenFault(incident) && incident.cause.id !== UNKNOWN_CAUSE);
  return unjudged.flatMap(({ precondition, since, at, checked }) => {
    const status = diagnosis.preconditions.find(({ id }) => id === precondition);
    const check = checks.find(({ id }) => id === precondition);
    if (status === undefined || check === undefined || at - since < PATIENCE) return [];
    const isLost = ({ cause }: Incident): boolean =>
      cause.precondition === precondition && checked >= FEWEST_CHECKS && presenceOf(cause, view) === 'unjudged';
    const open = known.filter((incident) => !isLost(incident)).map(({ cause }) => cause.precondition);
    // Checks that are waiting for their first input report this themselves.
    return status.waits === true || isExplained(check, open, unjudged, checks)
      ? []
      : [boundCause(causeOf(check, status, { diagnosis, lasts: at - since }))];
  });
}

/** @param open preconditions that the open incidents concern */
function isExplained(
  check: Check,
  open: readonly string[],
  unjudged: readonly Unjudged[],
  checks: readonly Check[],
): boolean {
  const deeper = deeperThan(check, checks);
  const explaining = [
    check.id,
    ...deeper,
    ...checks.filter(({ isWayOut }) => isWayOut === true).map(({ id }) => id),
    ...check.dependsOn.map(({ by }) => by),
  ];
  // Preconditions that depend on an unknown precondition are unknown as well. Only the deepest one is reported.
  return (
    open.some((broken) => explaining.includes(broken)) ||
    unjudged.some(({ precondition }) => deeper.includes(precondition))
  );
}

function deeperThan({ dependsOn }: Check, checks: readonly Check[]): readonly string[] {
  return dependsOn
    .filter(({ kind }) => kind !== 'explained')
    .flatMap(({ by }) => [by, ...checks.filter(({ id }) => id === by).flatMap((deeper) => deeperThan(deeper, checks))]);
}

function causeOf(
  check: Check,
  { summary, findings }: PreconditionStatus,
  { diagnosis: { configFile }, lasts }: { readonly diagnosis: Diagnosis; readonly lasts: Millis },
): Cause {
  const { id, title } = check;
  const { impact, remedy, severity } = UNKNOWN_WORDS;
  const unknown = findings.filter(({ level }) => level === 'unknown');
  return {
    id: UNKNOWN_CAUSE,
    precondition: id,
    severity,
    confidence: 'confirmed',
    subject: id,
    product: null,
    summary: `"${title}" could not be checked for ${wholeMinutes(lasts)}: ${summary}`,
    impact: impactOf(impact, { licenseActive: null, offlineSupported: null }),
    evidence: unknown.map((finding) => evidenceLine(finding, id)),
    consequences: [],
    ...remedyOf([...stepsWhenUnknown(check, findings), ...remedy], {
      ...ANY_SERVER,
      subject: id,
      ...(configFile === undefined ? {} : { config: configFile }),
    }),
  };
}

const MINUTE: Millis = 60_000;

function wholeMinutes(time: Millis): string {
  return spanText(Math.floor(time / MINUTE) * MINUTE);
}

export type IncidentInput =
  | {
      readonly kind: 'diagnosis';
      readonly diagnosis: Diagnosis;
      /**
       * Preconditions that were checked again. Null means all. Old observations neither confirm a cause nor close an
       * incident.
       */
      readonly fresh: readonly string[] | null;
      readonly lastJudged?: LastJudged;
      readonly partlyFresh?: PartlyFresh;
    }
  /** The last round, re-evaluated with answers that arrived late. */
  | { readonly kind: 'revision'; readonly at: EpochMs; readonly diagnosis: Diagnosis }
  | { readonly kind: 'tick'; readonly at: EpochMs }
  | { readonly kind: 'maintenance'; readonly at: EpochMs; readonly active: boolean }
  | { readonly kind: 'silence'; readonly at: EpochMs; readonly silence: Omit<Silence, 'id'> }
  | { readonly kind: 'unsilence'; readonly at: EpochMs; readonly id: string }
  | { readonly kind: 'acknowledge'; readonly at: EpochMs; readonly id: string; readonly by: string }
  | { readonly kind: 'unacknowledge'; readonly at: EpochMs; readonly id: string }
  | { readonly kind: 'attach'; readonly at: EpochMs; readonly id: string; readonly evidence: readonly string[] };

export type Transition = 'opened' | 'reopened' | 'changed' | 'closed';

/** Run after the state has been stored. */
export type IncidentEffect =
  | { readonly kind: 'notify'; readonly notification: Notification }
  | { readonly kind: 'transition'; readonly transition: Transition; readonly incident: Incident };

export interface IncidentStep {
  readonly state: IncidentState;
  readonly effects: readonly IncidentEffect[];
}
