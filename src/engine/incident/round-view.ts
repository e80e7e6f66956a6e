import type { Cause } from '../cause.ts';
import type { Check } from '../check.ts';
import type { EpochMs } from '../../core/clock.ts';
import type { Diagnosis, PreconditionStatus } from '../diagnosis.ts';
import { isCorroborated } from '../diagnosis/corroborated.ts';
import { type Finding, isFault } from '../finding.ts';
import { boundCause } from './bound-cause.ts';
import { sameCause } from './incident.ts';
import type { CausePresence } from './incident.ts';

/** One round as the incidents see it. */
export interface RoundView {
  readonly diagnosis: Diagnosis;
  /** Bounded, without doubles. */
  readonly causes: readonly Cause[];
  /** Those that two witnesses of this round agree on. */
  readonly corroborated: readonly Cause[];
  readonly fresh: readonly string[] | null;
  readonly partlyFresh?: PartlyFresh;
  /** All that there are. */
  readonly checks: readonly Check[];
  readonly looks?: Looks;
}

/** Of preconditions that are judged of several units, each of which is asked by itself. */
export interface PartlyFresh {
  /** Causes that rest on units that were asked again. */
  readonly seen: readonly Pick<Cause, 'id' | 'subject'>[];
  /** Preconditions whose units were all asked again by and by: what they do not show any more is gone. */
  readonly gone: readonly string[];
}

/** The last earlier round that judged each precondition, by its id. It is kept in memory alone. */
export type Looks = ReadonlyMap<string, Diagnosis>;

/** One round further. @param fresh as in `IncidentInput` */
export function withLook(looks: Looks, diagnosis: Diagnosis, fresh: readonly string[] | null): Looks {
  const judged = diagnosis.preconditions.filter(
    ({ id, state }) => (fresh === null || fresh.includes(id)) && state !== 'unknown' && state !== 'blocked',
  );
  return new Map([...looks, ...judged.map(({ id }) => [id, diagnosis] as const)]);
}

/** When the last earlier round that judged the precondition of a cause did not show it; null: none is known. */
export function lastClear(cause: Cause, { diagnosis, looks, checks }: RoundView): EpochMs | null {
  const last = looks?.get(cause.precondition);
  // A clock that was set back makes it later than this round.
  if (last === undefined || last.at > diagnosis.at) return null;
  return presenceOf(cause, roundView({ diagnosis: last, fresh: null, checks })) === 'absent' ? last.at : null;
}

/** More causes than any configuration can name; beyond it somebody is filling our memory. */
const MAX_CAUSES = 200;

export function roundView({ diagnosis, ...known }: Omit<RoundView, 'causes' | 'corroborated'>): RoundView {
  const all = diagnosis.causes.slice(0, MAX_CAUSES);
  const causes = all.map(boundCause);
  const isFirst = (cause: Cause, index: number): boolean =>
    causes.findIndex((other) => sameCause(other, cause)) === index;
  const corroborated = all.filter((cause) => isCorroborated(diagnosis, cause)).map(boundCause);
  return { ...known, diagnosis, causes: causes.filter(isFirst), corroborated };
}

/** What this round says about a cause. Only a precondition that was judged can say that the cause is gone. */
export function presenceOf(cause: Cause, view: RoundView): CausePresence {
  const isSeen = view.causes.some((other) => sameCause(other, cause));
  if (!isFreshOf(cause, isSeen, view)) return 'unjudged';
  if (isSeen) return 'seen';
  const status = view.diagnosis.preconditions.find(({ id }) => id === cause.precondition);
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

/** It is still there, as evidence of a graver cause that has the same reason elsewhere or explains it. */
export function showsStill(cause: Cause, view: RoundView): boolean {
  return view.diagnosis.preconditions.some(
    ({ id, findings }) => id === cause.precondition && findings.some((finding) => shows(finding, cause)),
  );
}

function shows(finding: Finding, cause: Cause): boolean {
  return isFault(finding) && finding.subject === cause.subject && finding.suggests === cause.id;
}

/** Whether this round has checked it: what slower sources say is older. */
export function isFresh(precondition: string, { fresh }: Pick<RoundView, 'fresh'>): boolean {
  return fresh === null || fresh.includes(precondition);
}

/** The same for one cause: of several units, a part may have been asked again. */
function isFreshOf(cause: Cause, isSeen: boolean, view: RoundView): boolean {
  const { partlyFresh } = view;
  if (isFresh(cause.precondition, view)) return true;
  if (partlyFresh === undefined) return false;
  return isSeen
    ? partlyFresh.seen.some((other) => sameCause(other, cause))
    : partlyFresh.gone.includes(cause.precondition);
}
