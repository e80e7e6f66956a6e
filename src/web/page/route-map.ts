import { STOPS, type Place } from '../../checks/place.ts';
import { CHECKS } from '../../checks/registry.ts';
import type { PreconditionState } from '../../engine/precondition-state.ts';
import type { PreconditionStatus } from '../../engine/diagnosis.ts';

/** The way of an activation through the network, as a person draws it. */
export interface RouteMap {
  /** From FortiAuthenticator to the licence server, in order. */
  readonly stops: readonly Stop[];
  /** What FortiAuthenticator needs beside the way. */
  readonly branches: readonly Stop[];
}

export interface Stop {
  readonly name: string;
  readonly hint: string;
  /** The worst of its preconditions. */
  readonly state: PreconditionState;
  readonly preconditions: readonly PreconditionStatus[];
  /** The line that leads on to the next stop. */
  readonly leadsOn: LineState;
}

/**
 * `open`: it leads from a stop that is fine to one that answers or breaks. `cut`: behind the first broken stop,
 * `beyond`: after that. `unproven`: nobody knows.
 */
export type LineState = 'open' | 'cut' | 'beyond' | 'unproven';

/** Worst first. `unknown` and `blocked` come before `warning`: nobody knows what they hide. */
const RANK: readonly PreconditionState[] = ['broken', 'blocked', 'unknown', 'warning', 'ok', 'not-configured'];

export function routeMapOf(preconditions: readonly PreconditionStatus[]): RouteMap {
  const at = (isThere: (place: Place) => boolean): readonly PreconditionStatus[] =>
    CHECKS.filter(({ place }) => isThere(place)).flatMap((check) => preconditions.filter(({ id }) => id === check.id));
  const found = STOPS.map(({ id }) => at((place) => place.kind === 'stop' && place.stop === id));
  const states = found.map(worst);
  const cut = STOPS.findIndex(({ carries }, index) => carries && states[index] === 'broken');
  const branches = CHECKS.flatMap(({ place }) => (place.kind === 'branch' ? [place] : []));
  return {
    stops: STOPS.map((plan, index) => stop(plan, found[index] ?? [], lineBehind(index, cut, states))),
    branches: branches.map((branch) =>
      stop(
        branch,
        at((place) => place === branch),
        'unproven',
      ),
    ),
  };
}

function lineBehind(index: number, cut: number, states: readonly PreconditionState[]): LineState {
  if (cut !== -1 && index >= cut) return index === cut ? 'cut' : 'beyond';
  const next = states[index + 1];
  return isWell(states[index]) && (isWell(next) || next === 'broken') ? 'open' : 'unproven';
}

function isWell(state: PreconditionState | undefined): boolean {
  return state === 'ok' || state === 'warning';
}

function stop(
  { name, hint }: Pick<Stop, 'name' | 'hint'>,
  preconditions: readonly PreconditionStatus[],
  leadsOn: LineState,
): Stop {
  return { name, hint, state: worst(preconditions), preconditions, leadsOn };
}

function worst(statuses: readonly PreconditionStatus[]): PreconditionState {
  return RANK.find((state) => statuses.some((status) => status.state === state)) ?? 'unknown';
}
