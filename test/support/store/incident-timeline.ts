import type { PreconditionState, Cause } from '../../../src/engine/model.ts';
import type { EpochMs, Millis } from '../../../src/core/clock.ts';
import {
  type DigestItem,
  EMPTY_STATE,
  type IncidentState,
  type Notification,
  INCIDENT_DEFAULTS,
  type IncidentPolicy,
} from '../../../src/engine/incident/incident.ts';
import { type IncidentInput, type LastJudged, withLastJudged } from '../../../src/engine/incident/round-view.ts';
import { next } from '../../../src/engine/incident/machine.ts';
import { CHECKS, type PreconditionId } from '../../../src/checks/registry.ts';
import { diagnosisOf } from '../checks/diagnosis-of.ts';
import { HOUR, SECOND } from '../time/units.ts';

export { HOUR, MINUTE, SECOND } from '../time/units.ts';

export const START: EpochMs = Date.parse('2026-11-24T13:00:00Z');

/** Origin of every store. */
const ORIGIN = 'a1b2c3d4e5';

export const POLICY: IncidentPolicy = {
  checks: CHECKS,
  isConfigured: () => false,
  ...INCIDENT_DEFAULTS,
  confirmations: 2,
  recoveries: 2,
  reminder: 4 * HOUR,
  maxPerHour: 20,
  tells: true,
  intervals: {},
};

/** The incident engine on a clock that the test moves. */
export interface Timeline {
  state: IncidentState;
  now: EpochMs;
  readonly inputs: IncidentInput[];
  readonly told: Notification[];
  readonly transitions: string[];
  wait(time: Millis): Timeline;
  round(causes: readonly Cause[], states?: Partial<Record<PreconditionId, PreconditionState>>): Timeline;
  /** Runs one round with causes, and with symptoms that they explain. */
  shown(causes: readonly Cause[], symptoms: readonly Cause[]): Timeline;
  /** Runs `count` rounds with a cause that explains lasting symptoms. */
  explained(count: number, cause: Cause, symptoms: readonly Cause[]): Timeline;
  /** Runs `count` equal rounds with an interval of `every`. */
  rounds(count: number, causes: readonly Cause[], every?: Millis): Timeline;
  tick(): Timeline;
  /** Lets time pass without a round. */
  later(time: Millis): Timeline;
  input(input: IncidentInput): Timeline;
  /** Returns the notifications since the last call as `event cause`; a digest has the number of its items. */
  heard(): readonly string[];
}

export function timeline(policy: Partial<IncidentPolicy> = {}): Timeline {
  const full = { ...POLICY, ...policy };
  let listened = 0;
  let lastJudged: LastJudged = new Map();
  const line: Timeline = {
    state: { ...EMPTY_STATE, origin: ORIGIN },
    now: START,
    inputs: [],
    told: [],
    transitions: [],
    wait(time) {
      line.now += time;
      return line;
    },
    round: (causes, states) =>
      line.input({ kind: 'diagnosis', diagnosis: diagnosisOf(line.now, causes, states), fresh: null }),
    shown: (causes, symptoms) =>
      line.input({ kind: 'diagnosis', diagnosis: diagnosisOf(line.now, causes, {}, symptoms), fresh: null }),
    explained(count, cause, symptoms) {
      for (let index = 0; index < count; index += 1) line.shown([cause], symptoms).wait(30 * SECOND);
      return line;
    },
    rounds(count, causes, every = 30 * SECOND) {
      for (let index = 0; index < count; index += 1) line.round(causes).wait(every);
      return line;
    },
    tick: () => line.input({ kind: 'tick', at: line.now }),
    later: (time) => line.wait(time).tick(),
    input(input) {
      line.inputs.push(input);
      const isRound = input.kind === 'diagnosis';
      const step = next(line.state, isRound ? { ...input, lastJudged } : input, full);
      if (isRound) lastJudged = withLastJudged(lastJudged, input.diagnosis, input.fresh);
      line.state = step.state;
      for (const effect of step.effects) {
        if (effect.kind === 'notify') line.told.push(effect.notification);
        else line.transitions.push(`${effect.transition} ${effect.incident.cause.id}`);
      }
      return line;
    },
    heard() {
      const fresh = line.told.slice(listened).map(nameOf);
      listened = line.told.length;
      return fresh;
    },
  };
  return line;
}

/** Returns what is sent about each incident. */
export function itemsOf(notification: Notification): readonly DigestItem[] {
  return notification.kind === 'digest' ? notification.items : notification.kind === 'incident' ? [notification] : [];
}

function nameOf(notification: Notification): string {
  switch (notification.kind) {
    case 'incident':
      return `${notification.event} ${notification.incident.cause.id}`;
    case 'digest':
      return `digest ${String(notification.items.length + notification.omitted)}`;
    case 'test':
    case 'note':
      return notification.kind;
  }
}
