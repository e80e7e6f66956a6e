import type { EpochMs } from '../../core/clock.ts';
import { visibleText } from '../../core/visible-text.ts';
import { acknowledge, unacknowledge } from './acknowledge.ts';
import { announce } from './announce.ts';
import { forget } from './forget.ts';
import type { IncidentState, Silence } from './incident.ts';
import type { IncidentInput, IncidentStep } from './machine-input.ts';
import { observe } from './observe.ts';
import type { IncidentPolicy } from './policy.ts';
import { revise } from './revise.ts';
import { roundView } from './round-view.ts';

/** One more drops the oldest. */
export const MAX_SILENCES = 100;

/**
 * The incident machine. Rounds open, change and close incidents; then what people were told is compared with what is
 * true. The same inputs always give the same states and effects. The caller stores the state before it runs the
 * effects.
 */
export function next(state: IncidentState, input: IncidentInput, policy: IncidentPolicy): IncidentStep {
  const now = presentOf(input);
  const taken = take(forget(state, now, policy), input, policy);
  const announced = announce(taken.state, now, policy);
  return { state: announced.state, effects: [...taken.effects, ...announced.effects] };
}

function take(state: IncidentState, input: IncidentInput, policy: IncidentPolicy): IncidentStep {
  switch (input.kind) {
    case 'diagnosis':
      return observe(state, roundView({ ...input, checks: policy.checks }), policy);
    case 'revision':
      return revise(state, roundView({ ...input, fresh: null, checks: policy.checks }), policy);
    case 'tick':
      return { state, effects: [] };
    case 'maintenance':
      return { state: { ...state, maintenance: input.active }, effects: [] };
    case 'silence':
      return { state: addSilence(state, input.silence, input.at), effects: [] };
    case 'unsilence':
      return { state: { ...state, silences: state.silences.filter(({ id }) => id !== input.id) }, effects: [] };
    case 'acknowledge':
      return { state: acknowledge(state, input.id, input), effects: [] };
    case 'unacknowledge':
      return { state: unacknowledge(state, input.id), effects: [] };
  }
}

function presentOf(input: IncidentInput): EpochMs {
  return input.kind === 'diagnosis' ? input.diagnosis.at : input.at;
}

function addSilence(state: IncidentState, asked: Omit<Silence, 'id' | 'from'>, now: EpochMs): IncidentState {
  const counter = state.counter + 1;
  const silence: Silence = {
    ...asked,
    id: `silence-${String(now)}-${String(counter)}`,
    from: now,
    by: visibleText(asked.by, 100),
    comment: visibleText(asked.comment, 500),
  };
  return { ...state, counter, silences: [...state.silences, silence].slice(-MAX_SILENCES) };
}
