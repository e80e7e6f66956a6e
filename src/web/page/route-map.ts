import type { PreconditionStatus } from '../../core/diagnosis.ts';
import type { PreconditionId, PreconditionState } from '../../core/precondition.ts';

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
  readonly leadsOn: Line;
}

/**
 * `open`: it leads from a stop that is fine to one that answers or breaks. `cut`: behind the first broken stop,
 * `beyond`: after that. `unproven`: nobody knows.
 */
export type Line = 'open' | 'cut' | 'beyond' | 'unproven';

interface StopPlan {
  readonly name: string;
  readonly hint: string;
  readonly preconditions: readonly PreconditionId[];
  /** Traffic to the licence server goes through it. FortiAuthenticator's own API may fail while its traffic flows. */
  readonly carries: boolean;
}

const STOPS: readonly StopPlan[] = [
  { name: 'FortiAuthenticator', hint: 'where it starts', preconditions: ['appliance', 'token-pool'], carries: false },
  { name: 'Resolver', hint: 'finds the address', preconditions: ['name-resolution'], carries: true },
  {
    name: 'Firewall',
    hint: 'must not inspect',
    preconditions: ['reachability', 'tls-genuine', 'firewall-policy'],
    carries: true,
  },
  { name: 'Internet', hint: 'the way out', preconditions: ['internet'], carries: true },
  { name: 'Licence server', hint: 'at Fortinet', preconditions: ['license-server'], carries: true },
];

const BRANCHES: readonly StopPlan[] = [
  { name: 'Mail', hint: 'carries codes to users', preconditions: ['mail'], carries: false },
  { name: 'Registration', hint: 'who owns the licence', preconditions: ['license-assignment'], carries: false },
  { name: 'Polling', hint: 'what its log says', preconditions: ['polling'], carries: false },
  { name: 'Clock', hint: 'of this monitor', preconditions: ['clock'], carries: false },
];

/** Worst first. `unknown` and `blocked` come before `warning`: nobody knows what they hide. */
const RANK: readonly PreconditionState[] = ['broken', 'blocked', 'unknown', 'warning', 'ok', 'not-configured'];

export function routeMapOf(preconditions: readonly PreconditionStatus[]): RouteMap {
  const states = STOPS.map((plan) => worst(pick(plan, preconditions)));
  const cut = STOPS.findIndex(({ carries }, index) => carries && states[index] === 'broken');
  return {
    stops: STOPS.map((plan, index) => stop(plan, preconditions, lineBehind(index, cut, states))),
    branches: BRANCHES.map((plan) => stop(plan, preconditions, 'unproven')),
  };
}

function lineBehind(index: number, cut: number, states: readonly PreconditionState[]): Line {
  if (cut !== -1 && index >= cut) return index === cut ? 'cut' : 'beyond';
  const next = states[index + 1];
  return isWell(states[index]) && (isWell(next) || next === 'broken') ? 'open' : 'unproven';
}

function isWell(state: PreconditionState | undefined): boolean {
  return state === 'ok' || state === 'warning';
}

function stop(plan: StopPlan, all: readonly PreconditionStatus[], leadsOn: Line): Stop {
  const preconditions = pick(plan, all);
  return { name: plan.name, hint: plan.hint, state: worst(preconditions), preconditions, leadsOn };
}

function pick(plan: StopPlan, all: readonly PreconditionStatus[]): readonly PreconditionStatus[] {
  return plan.preconditions.flatMap((id) => all.filter((status) => status.id === id));
}

function worst(statuses: readonly PreconditionStatus[]): PreconditionState {
  return RANK.find((state) => statuses.some((status) => status.state === state)) ?? 'unknown';
}
