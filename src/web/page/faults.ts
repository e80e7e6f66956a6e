import { type CauseGroup, causeGroups } from '../../checks/verdict-words.ts';
import type { EpochMs } from '../../core/clock.ts';
import { type Content, type Markup, markup } from '../../document/html.ts';
import { type Acknowledgement, activeSilence, type Incident, sameFault } from '../../engine/incident/incident.ts';
import type { Cause } from '../../engine/model.ts';
import { identityOf } from './certificates-view.ts';
import { badge, distance, moment, type Reader, timeAndAge } from './page-document.ts';
import type { Quiet } from './incidents-view.ts';

/** One card of the page: causes that differ only in what is affected, and their open incidents. */
export interface Fault {
  /** The id of the card. */
  readonly id: string;
  readonly causes: CauseGroup;
  readonly incidents: readonly Incident[];
  /** Null if it is not confirmed yet. */
  readonly since: EpochMs | null;
}

export function pageFaults(causes: readonly Cause[], incidents: readonly Incident[]): readonly Fault[] {
  const open = incidents.filter(({ status }) => status === 'open');
  return causeGroups(causes).map((group) => {
    const [{ id, subject }] = group;
    const own = group.flatMap((cause) => open.find((one) => sameFault(one.cause, cause)) ?? []);
    return {
      id: `cause-${identityOf([id, subject])}`,
      causes: group,
      incidents: own,
      since: own.length === 0 ? null : Math.min(...own.map(({ since }) => since)),
    };
  });
}

/** Where the remedy of a fault is. Only the first fault's card is open, and a link opens what contains its target. */
export function linkTo(fault: Fault, faults: readonly Fault[]): string {
  return fault === faults[0] ? `#${fault.id}` : `#${fault.id}-remedy`;
}

export function sinceView({ since }: Fault, reader: Reader): Content {
  return since === null ? 'not confirmed yet' : markup`since ${timeAndAge(since, reader)}`;
}

/** Who is working on a fault. */
export function ownerView({ causes, incidents }: Pick<Fault, 'causes' | 'incidents'>, reader: Reader): Content {
  const taken = incidents.flatMap(({ acknowledgement }) => acknowledgement ?? []);
  const [last] = taken.toSorted((a, b) => b.at - a.at);
  return last === undefined ? 'Nobody is on it' : acknowledged(last, partOf(taken.length, causes.length), reader);
}

export function hasOwner({ incidents }: Pick<Fault, 'incidents'>): boolean {
  return incidents.some(({ acknowledgement }) => acknowledgement !== null);
}

/** Until when no notifications are sent about a fault, and why. A silence is not an owner. Null if they are sent. */
export function heldView(fault: Pick<Fault, 'causes'>, quiet: Quiet, reader: Reader): Markup | null {
  const [maintenance, silence] = [maintenanceView(quiet, reader), silenceView(fault, quiet, reader)];
  return maintenance === null || silence === null ? (maintenance ?? silence) : markup`${maintenance} ${silence}`;
}

export function maintenanceView({ maintenanceUntil: until }: Quiet, reader: Reader): Markup | null {
  return until === null ? null : held(until, 'maintenance', reader);
}

export function silenceView({ causes }: Pick<Fault, 'causes'>, { silences }: Quiet, reader: Reader): Markup | null {
  const silenced = causes.flatMap((cause) => activeSilence(silences, cause, reader.now) ?? []);
  const [silence] = silenced.toSorted((a, b) => a.until - b.until);
  if (silence === undefined) return null;
  return held(silence.until, `silenced by ${silence.by}${partOf(silenced.length, causes.length)}`, reader);
}

function held(until: EpochMs, why: string, reader: Reader): Markup {
  return badge('wait', markup`No notifications until ${moment(until, reader)} (${why})`);
}

function acknowledged({ by, at }: Acknowledgement, part: string, reader: Reader): Markup {
  return markup`<strong>Acknowledged by ${by}</strong> ${distance(at, reader)}${part}`;
}

function partOf(count: number, all: number): string {
  return count === all ? '' : ` (${String(count)} of ${String(all)})`;
}
