import type { DiagnosisJson } from '../checks/diagnosis-json.ts';
import { titleOf } from '../checks/registry.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import { compareSeverity, type Severity } from '../core/severity.ts';
import { utcText } from '../core/time-text.ts';
import type { Readiness } from '../engine/model.ts';

/** The state of a site as a number, in every monitoring system. These are the exit codes of a Nagios plugin. */
export const CHECK_EXIT = { ready: 0, warnings: 1, notReady: 2, unknown: 3 } as const;

export type CheckExit = (typeof CHECK_EXIT)[keyof typeof CHECK_EXIT];

export const READINESS_TEXTS: Readonly<Record<Readiness, string>> = {
  ready: 'all configured checks pass',
  'not-ready': 'FortiToken Mobile activation does not work',
  unknown: 'some checks could not be evaluated',
};

interface SeenFault {
  readonly severity: Severity;
  readonly summary: string;
  readonly headline: string;
  readonly remedy: readonly string[];
}

/** The parts of a diagnosis that monitoring systems show. */
export interface SeenDiagnosis {
  readonly ready: Readiness;
  readonly at: string;
  readonly preconditions: readonly (Pick<
    DiagnosisJson['preconditions'][number],
    'id' | 'state' | 'isLeftOut' | 'summary'
  > & {
    readonly findings: readonly { readonly rule: string }[];
  })[];
  readonly causes: readonly (SeenFault & { readonly precondition: string; readonly subject: string })[];
  readonly quantities: readonly {
    readonly id: string;
    readonly subject: string;
    readonly value: number;
    readonly unit: string;
  }[];
}

export interface OpenIncident extends SeenFault {
  readonly id: string;
  readonly cause: string;
  readonly subject: string;
  readonly since: string;
  /** The last round that found the fault. Times are in ISO 8601 format. */
  readonly lastSeen: string;
}

export type Looked =
  | {
      readonly by: 'daemon';
      readonly incidents: readonly OpenIncident[];
      readonly now: EpochMs;
      /** The maximum age of the daemon's last round. */
      readonly longest: Millis;
    }
  /** The command ran the round itself, so no history or log lines are available. */
  | { readonly by: 'itself' };

/**
 * Open incidents count, but only as a warning if everything works again. If the current state is unknown, an open
 * critical incident makes the exit code critical. Warnings can occur without a cause, for example if FortiAuthenticator
 * uses a different server than the probe.
 */
export function exitCodeOf(
  { ready, causes, preconditions }: Pick<SeenDiagnosis, 'ready' | 'causes' | 'preconditions'>,
  looked: Looked,
): CheckExit {
  const open = openIn(looked);
  if (ready === 'not-ready') return CHECK_EXIT.notReady;
  if (ready === 'unknown')
    return open.some(({ severity }) => severity === 'critical') ? CHECK_EXIT.notReady : CHECK_EXIT.unknown;
  const warns =
    [...causes, ...open].some(({ severity }) => severity !== 'info') ||
    preconditions.some(({ state }) => state === 'warning');
  return warns ? CHECK_EXIT.warnings : CHECK_EXIT.ready;
}

export interface SiteState {
  readonly exitCode: CheckExit;
  /** The most severe cause or open incident. Null if the state has another reason. */
  readonly worst: (SeenFault & { readonly since: string | null }) | null;
  /** Number of other causes and open incidents. */
  readonly others: number;
  /** Not empty if the worst fault no longer exists, although its incident is still open. Precedes the fault's name. */
  readonly caveat: string;
  /** The caveat with the worst fault's headline, or the other reason. */
  readonly text: string;
  /** The first step of the worst fault's remedy. Null if there is nothing to repair. */
  readonly remedy: string | null;
  /** False if the daemon's last round is too old, so that its causes and numbers are no longer known. */
  readonly isCurrent: boolean;
  /** Follows the text. Empty if the daemon answered. */
  readonly note: string;
}

/** What every monitoring system says about a site. The texts are untrusted and have any length. */
export function siteState(diagnosis: SeenDiagnosis, looked: Looked): SiteState {
  const isCurrent = looked.by === 'itself' || ageOf(diagnosis, looked.now) <= looked.longest;
  const note = looked.by === 'itself' ? ' (from a new check without log data, because no daemon is running)' : '';
  const known = isCurrent
    ? knownState(diagnosis, looked)
    : withoutFault(CHECK_EXIT.unknown, `The daemon's last check was at ${utcText(Date.parse(diagnosis.at))}`);
  return { ...known, isCurrent, note };
}

type KnownState = Omit<SiteState, 'isCurrent' | 'note'>;

function knownState(diagnosis: SeenDiagnosis, looked: Looked): KnownState {
  const exitCode = exitCodeOf(diagnosis, looked);
  switch (exitCode) {
    case CHECK_EXIT.ready:
      return withoutFault(exitCode, READINESS_TEXTS.ready);
    case CHECK_EXIT.warnings:
      return faulty(exitCode, diagnosis, looked) ?? ofPrecondition(exitCode, diagnosis, 'warning');
    case CHECK_EXIT.notReady:
      return faulty(exitCode, diagnosis, looked) ?? ofPrecondition(exitCode, diagnosis, 'broken');
    case CHECK_EXIT.unknown:
      return ofPrecondition(exitCode, diagnosis, 'unknown');
  }
}

export function ageOf({ at }: Pick<SeenDiagnosis, 'at'>, now: EpochMs): Millis {
  return Math.max(0, now - Date.parse(at));
}

function openIn(looked: Looked): readonly OpenIncident[] {
  return looked.by === 'daemon' ? looked.incidents : [];
}

function withoutFault(exitCode: CheckExit, text: string): KnownState {
  return { exitCode, worst: null, others: 0, caveat: '', text, remedy: null };
}

function faulty(exitCode: CheckExit, { ready, causes }: SeenDiagnosis, looked: Looked): KnownState | null {
  const open = openIn(looked);
  const isNew = ({ summary }: SeenFault): boolean => open.every((one) => one.summary !== summary);
  const [worst, ...others] = [...open, ...causes.filter(isNew).map((cause) => ({ ...cause, since: null }))]
    .filter(({ severity }) => severity !== 'info')
    .toSorted((a, b) => compareSeverity(a.severity, b.severity));
  if (worst === undefined) return null;
  const isOver = ready === 'ready' && worst.severity === 'critical';
  const caveat = isOver ? 'Ready now, but an incident is still open: ' : '';
  return {
    exitCode,
    worst,
    others: others.length,
    caveat,
    text: `${caveat}${worst.headline}`,
    remedy: isOver ? null : (worst.remedy[0] ?? null),
  };
}

const FALLBACKS = {
  warning: READINESS_TEXTS.ready,
  broken: READINESS_TEXTS['not-ready'],
  unknown: READINESS_TEXTS.unknown,
} as const;

function ofPrecondition(
  exitCode: CheckExit,
  { preconditions }: SeenDiagnosis,
  wanted: keyof typeof FALLBACKS,
): KnownState {
  const one = preconditions.find(({ state }) => state === wanted);
  return withoutFault(
    exitCode,
    one === undefined ? FALLBACKS[wanted] : `${titleOf(one.id)}: ${withoutStop(one.summary)}`,
  );
}

export function withoutStop(text: string): string {
  return text.replace(/\.$/u, '');
}
