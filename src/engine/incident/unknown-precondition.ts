import type { Millis } from '../../core/clock.ts';
import type { Cause } from '../cause.ts';
import type { Check } from '../check.ts';
import type { Diagnosis, PreconditionStatus } from '../diagnosis.ts';
import { evidenceLine } from '../words/evidence-line.ts';
import { impactOf } from '../words/impact.ts';
import { remedyOf } from '../words/told-remedy.ts';
import { UNKNOWN_CAUSE, UNKNOWN_WORDS } from '../words/unknown.ts';
import { ANY_SERVER } from '../words/wording.ts';
import { boundCause } from './bound-cause.ts';
import { isOpenFault, type IncidentState, type Unjudged } from './incident.ts';
import type { RoundView } from './round-view.ts';

/** How long a precondition may stay unknown before it is reported. */
const PATIENCE: Millis = 15 * 60_000;
/** What was not looked at for as long, as while the daemon was stopped, begins again. */
const LONGEST_GAP: Millis = 60 * 60_000;

/** Since when each precondition is unknown, over restarts too. */
export function followUnjudged({ unjudged }: IncidentState, { diagnosis }: RoundView): readonly Unjudged[] {
  const { at } = diagnosis;
  return diagnosis.preconditions
    .filter(({ state }) => state === 'unknown')
    .map(({ id }) => {
      const known = unjudged.find(({ precondition }) => precondition === id);
      const goesOn = known !== undefined && known.since <= at && at - known.at < LONGEST_GAP;
      return { precondition: id, since: goesOn ? known.since : at, at };
    });
}

/** A warning for each precondition that has been unknown for long, and that no open incident explains. */
export function unknownCauses(
  unjudged: readonly Unjudged[],
  { incidents }: IncidentState,
  { diagnosis, checks }: RoundView,
): readonly Cause[] {
  const open = incidents
    .filter((incident) => isOpenFault(incident) && incident.cause.id !== UNKNOWN_CAUSE)
    .map(({ cause }) => cause.precondition);
  return unjudged.flatMap(({ precondition, since, at }) => {
    const status = diagnosis.preconditions.find(({ id }) => id === precondition);
    const check = checks.find(({ id }) => id === precondition);
    if (status === undefined || check === undefined || at - since < PATIENCE) return [];
    return isExplained(check, { open, unjudged, checks }) ? [] : [boundCause(causeOf(check, status, diagnosis))];
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
  { configFile }: Diagnosis,
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
    summary: `"${title}" could not be judged for 15 minutes: ${summary}`,
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
