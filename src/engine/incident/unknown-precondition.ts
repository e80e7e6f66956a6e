import type { Millis } from '../../core/clock.ts';
import { spanText } from '../../core/duration.ts';
import type { Cause } from '../cause.ts';
import type { Check } from '../check.ts';
import type { Diagnosis, PreconditionStatus } from '../diagnosis.ts';
import { evidenceLine } from '../words/evidence-line.ts';
import { impactOf } from '../words/impact.ts';
import { remedyOf } from '../words/told-remedy.ts';
import { UNKNOWN_CAUSE, UNKNOWN_WORDS } from '../words/unknown.ts';
import { ANY_SERVER } from '../words/wording.ts';
import { boundCause } from './bound-cause.ts';
import { isOpenFault, type Incident, type IncidentState, type Unjudged } from './incident.ts';
import { isFresh, presenceOf, type RoundView } from './round-view.ts';

/** How long a precondition may stay unknown before it is reported. */
const PATIENCE: Millis = 15 * 60_000;
/** So often checked without a verdict, it is not known any more whether an open incident of it lasts. */
const FEWEST_CHECKS = 3;
/** What was not looked at for as long, as while the daemon was stopped, begins again. */
const LONGEST_GAP: Millis = 60 * 60_000;

/** Since when each precondition is unknown, over restarts too. */
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
 * A warning for each precondition that has been unknown for long, and that no open incident explains. An incident of
 * the precondition itself explains nothing once several checks could not tell whether it lasts.
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
    return isExplained(check, { open, unjudged, checks })
      ? []
      : [boundCause(causeOf(check, status, { diagnosis, lasts: at - since }))];
  });
}

interface Surroundings {
  /** The preconditions of the open incidents. */
  readonly open: readonly string[];
  readonly unjudged: readonly Unjudged[];
  readonly checks: readonly Check[];
}

function isExplained(check: Check, { open, unjudged, checks }: Surroundings): boolean {
  // When it never hears anything, its own judgement says so.
  if (check.onlyListens === true) return true;
  const deeper = deeperThan(check, checks);
  const explaining = [
    check.id,
    ...deeper,
    ...checks.filter(({ isWayOut }) => isWayOut === true).map(({ id }) => id),
    ...check.explainedBy.map(({ by }) => by),
  ];
  // What depends on something unknown is unknown too: that is told once, of the deepest.
  return (
    open.some((broken) => explaining.includes(broken)) ||
    unjudged.some(({ precondition }) => deeper.includes(precondition))
  );
}

function deeperThan({ dependsOn, unknownWith = [] }: Check, checks: readonly Check[]): readonly string[] {
  return [...dependsOn, ...unknownWith].flatMap((next) => [
    next,
    ...checks.filter(({ id }) => id === next).flatMap((deeper) => deeperThan(deeper, checks)),
  ]);
}

function causeOf(
  { id, title, unknownRemedy }: Check,
  { summary, findings }: PreconditionStatus,
  { diagnosis: { configFile }, lasts }: { readonly diagnosis: Diagnosis; readonly lasts: Millis },
): Cause {
  const { impact, remedy, severity } = UNKNOWN_WORDS;
  const unknown = findings.filter(({ level }) => level === 'unknown');
  const advised = unknown.flatMap(({ advice }) => advice?.remedy ?? []);
  return {
    id: UNKNOWN_CAUSE,
    precondition: id,
    severity,
    confidence: 'confirmed',
    subject: id,
    product: null,
    summary: `"${title}" could not be judged for ${wholeMinutes(lasts)}: ${summary}`,
    impact: impactOf(impact, { licenseActive: null, offlineActivation: null }),
    evidence: unknown.map((finding) => evidenceLine(finding, id)),
    consequences: [],
    ...remedyOf([...(advised.length > 0 ? advised : [unknownRemedy]), ...remedy], {
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
