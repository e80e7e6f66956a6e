import type { Cause } from '../cause.ts';
import { CATALOGUE } from '../causes/catalogue.ts';
import { impactOf } from '../causes/impact.ts';
import { SETTLING } from '../causes/unknown.ts';
import type { Millis } from '../clock.ts';
import type { PreconditionStatus } from '../diagnosis.ts';
import { EXPLANATIONS } from '../diagnosis/explanations.ts';
import type { Finding } from '../finding.ts';
import { PRECONDITIONS, titleOf } from '../precondition.ts';
import type { PreconditionId } from '../precondition.ts';
import { boundCause } from './bound-cause.ts';
import type { IncidentState, Unjudged } from './incident.ts';
import type { RoundView } from './sight.ts';

/** For so long nobody is told that a precondition cannot be judged. */
const PATIENCE: Millis = 15 * 60_000;
/** What was not looked at for as long, as while the daemon was stopped, begins again. */
const LONGEST_GAP: Millis = 60 * 60_000;

/** What is asked for by name, or beyond this network, is not judged while these are broken. */
const WAY_OUT: readonly PreconditionId[] = ['internet', 'name-resolution'];

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
  view: RoundView,
): readonly Cause[] {
  const open = incidents
    .filter(
      ({ status, cause }) => status === 'open' && cause.severity !== 'info' && cause.id !== 'precondition-unknown',
    )
    .map(({ cause }) => cause.precondition);
  return unjudged.flatMap(({ precondition, since, at }) => {
    const status = view.diagnosis.preconditions.find(({ id }) => id === precondition);
    if (status === undefined || at - since < PATIENCE || isExplained(precondition, open, unjudged)) return [];
    return [boundCause(causeOf(status))];
  });
}

function isExplained(id: PreconditionId, open: readonly PreconditionId[], unjudged: readonly Unjudged[]): boolean {
  // It waits for the first line. When none comes, that is told as the silence of the appliance.
  if (id === 'polling') return true;
  const deeper = deeperThan(id);
  const explaining = [
    id,
    ...deeper,
    ...WAY_OUT,
    ...EXPLANATIONS.filter((explanation) => explanation.id === id).map(({ by }) => by),
  ];
  // What depends on something unknown is unknown too: that is told once, of the deepest.
  return (
    open.some((broken) => explaining.includes(broken)) ||
    unjudged.some(({ precondition }) => deeper.includes(precondition))
  );
}

function deeperThan(id: PreconditionId): readonly PreconditionId[] {
  // The serial number that a licence is looked up for is read from the appliance.
  const direct =
    id === 'license-assignment'
      ? ['appliance' as const]
      : (PRECONDITIONS.find((one) => one.id === id)?.dependsOn ?? []);
  return direct.flatMap((next) => [next, ...deeperThan(next)]);
}

function causeOf({ id, summary, findings }: PreconditionStatus): Cause {
  const { impact, remedy, severity } = CATALOGUE['precondition-unknown'];
  const unknown = findings.filter(({ level }) => level === 'unknown');
  const title = titleOf(id);
  const settling = unknown.flatMap(({ advice }) => advice?.remedy ?? []);
  return {
    id: 'precondition-unknown',
    precondition: id,
    severity,
    confidence: 'confirmed',
    subject: id,
    product: null,
    summary: `Whether "${title}" is in order has not been known for 15 minutes: ${summary}`,
    impact: impactOf(impact, { licenseActive: null, offlineActivation: null }),
    evidence: unknown.map(evidenceLine),
    consequences: [],
    remedy: [...(settling.length > 0 ? settling : [SETTLING[id]]), ...remedy],
  };
}

function evidenceLine({ subject, expected, actual }: Finding): string {
  return `${subject}: expected ${expected}, got ${actual}`;
}
