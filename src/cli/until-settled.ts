import type { Cause } from '../engine/cause.ts';
import { isCorroborated } from '../engine/diagnosis/corroborated.ts';
import type { Clock, Millis } from '../core/clock.ts';
import type { TlsOutcome } from '../core/observation.ts';
import type { RoundObservations } from '../sources/registry.ts';
import type { RoundResult } from '../report/round-result.ts';
import type { ProbeKit } from '../runtime/round/probe-kit.ts';
import { isInvalid } from '../core/invalid-round.ts';

/** Enough for what was there only once to be gone, and for what is new to be seen again. */
const MOST_LOOKS = 4;
/** A third or fourth look begins by then: a look takes 14.5 s at most, and nobody waits for longer than 30. */
const LAST_BEGIN: Millis = 15_000;
/** How many looks in a row must show what is critical. */
const IN_A_ROW = 2;
/**
 * A resolver that is silent: on a path that loses every fifth packet each way, one look of ten finds none of the
 * answers. Connections need no third look, since the second one makes many.
 */
const SILENT_IN_A_ROW = 3;

const BROAD = 3;

export interface SettlingTools {
  readonly kit: Pick<ProbeKit, 'needsCloserLook'>;
  readonly clock: Pick<Clock, 'elapsed'>;
  readonly signal: AbortSignal;
}

/**
 * Looks again until what is critical was seen in several looks in a row: a single lost packet is no fault. A look that
 * is going on when the signal is aborted is given up, and the one before it counts.
 */
export async function untilSettled<Result extends RoundResult>(
  look: () => Promise<Result>,
  { kit, clock, signal }: SettlingTools,
): Promise<Result> {
  const started = clock.elapsed();
  const isTime = (): boolean => clock.elapsed() - started <= LAST_BEGIN;
  let last = await look();
  const looks = [last];
  while (looks.length < MOST_LOOKS && !signal.aborted && (kit.needsCloserLook() || !isSettled(looks))) {
    if (looks.length >= IN_A_ROW && !isTime()) break;
    last = await look();
    looks.unshift(last);
  }
  const [, before] = looks;
  return lastShownTwice(looks) ?? (signal.aborted ? before : undefined) ?? last;
}

/**
 * What is critical in the result, came of silence, and was seen in one look alone although several are needed: the time
 * did not suffice to tell it from lost packets. What somebody answered is made by no lost packet.
 */
export function unconfirmedIn(result: RoundResult, looks: readonly RoundResult[]): readonly Cause[] {
  const probed = new Set(result.judged.assessments.map(({ id }) => id));
  return criticalOf(result).filter(
    (cause) =>
      probed.has(cause.precondition) &&
      !isCorroborated(result.diagnosis, cause) &&
      neededFor(cause, result.observations) > 1 &&
      isSilence(cause, result.observations) &&
      looks.filter(shows(cause)).length < IN_A_ROW,
  );
}

/** A mail server is waited for so long that lost packets were repeated many times. */
function isSilence({ precondition }: Cause, { path: { licenseServer } }: RoundObservations): boolean {
  const { names, endpoints, closer } = licenseServer;
  switch (precondition) {
    case 'internet':
      return true;
    case 'name-resolution':
      return names.some(({ a, aaaa }) => [a, aaaa].some(isTimeout));
    case 'reachability':
      return endpoints.some(({ tcp }) => isTimeout(tcp));
    case 'tls-genuine':
      // The same hello was repeated in this look, to no avail.
      return endpoints.some(({ tls }) => isTimeout(tls)) && !isSilentAgain(closer?.again ?? null);
    case 'license-server':
      return endpoints.some(({ http }) => isTimeout(http));
    default:
      return false;
  }
}

/** Cut short by the end of the time, it was silent all the same for longer than it takes to repeat a lost packet. */
function isSilentAgain(again: TlsOutcome | null): boolean {
  if (again?.kind !== 'failed') return false;
  return again.reason === 'timeout' || (again.reason === 'aborted' && again.durationMs >= REPEATED);
}

/** RFC 6298: a lost packet is repeated after a second, and once more two seconds later. */
const REPEATED: Millis = 1_000;

function isTimeout(outcome: { readonly kind: string } | null): boolean {
  return outcome !== null && 'reason' in outcome && outcome.reason === 'timeout';
}

/**
 * What two looks showed is not taken back by a later one that could not judge, such as one whose names were not asked
 * for because the lookups of those before still wait for their answers.
 */
function lastShownTwice<Result extends RoundResult>(looks: readonly Result[]): Result | null {
  if (looks[0]?.diagnosis.ready !== 'unknown') return null;
  const shown = looks.find((look) => criticalOf(look).length > 0);
  const isTwice = (cause: Cause): boolean => looks.filter(shows(cause)).length >= IN_A_ROW;
  return shown !== undefined && criticalOf(shown).some(isTwice) ? shown : null;
}

function criticalOf({ diagnosis }: RoundResult): readonly Cause[] {
  return diagnosis.causes.filter(({ severity }) => severity === 'critical');
}

function shows(cause: Cause): (look: RoundResult) => boolean {
  return ({ diagnosis }) => diagnosis.causes.some(isSame(cause));
}

/** @param looks the latest first */
function isSettled(looks: readonly RoundResult[]): boolean {
  const [last, before] = looks;
  if (last === undefined) return false;
  if (isInvalid(last.observations)) return before !== undefined && isInvalid(before.observations);
  // It could not judge what the one before has shown.
  if (last.diagnosis.ready === 'unknown' && before !== undefined && criticalOf(before).length > 0) return false;
  const probed = new Set(last.judged.assessments.map(({ id }) => id));
  return last.diagnosis.causes
    .filter(({ severity, precondition }) => severity === 'critical' && probed.has(precondition))
    .every((cause) => {
      const needed = isCorroborated(last.diagnosis, cause) ? 1 : neededFor(cause, last.observations);
      return looks.length >= needed && looks.slice(0, needed).every(shows(cause));
    });
}

/** What so many things in one look show is made by no lost packet. */
function neededFor({ id }: Cause, { path, controls }: RoundObservations): number {
  const paths = [path.licenseServer, ...path.services, ...controls];
  if (id === 'internet-unreachable') {
    return [...paths.flatMap(({ endpoints }) => endpoints), ...path.knownAddresses].length >= BROAD ? 1 : IN_A_ROW;
  }
  if (id !== 'resolver-unreachable') return IN_A_ROW;
  // Behind two slow ones no third name is asked for: its silence is ours.
  const asked = paths.flatMap(({ names }) => names).filter(({ a }) => a.kind === 'answer' || a.reason !== 'internal');
  const isSilent = asked.every(({ a, aaaa }) => a.kind === 'failed' && aaaa.kind === 'failed');
  if (!isSilent || new Set(asked.map(({ name }) => name)).size < BROAD) return SILENT_IN_A_ROW;
  // It may have been asked for them in an earlier look, to which all answers were lost.
  return asked.some(({ resolver }) => resolver === 'system') ? IN_A_ROW : 1;
}

function isSame({ id, subject }: Cause): (other: Cause) => boolean {
  return (other) => other.id === id && other.subject === subject;
}
