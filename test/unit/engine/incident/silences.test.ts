import { expect, test } from 'vitest';
import { EMPTY_STATE, type IncidentState } from '../../../../src/engine/incident/incident.ts';
import { MAX_SILENCES, next } from '../../../../src/engine/incident/machine.ts';
import { HOUR, POLICY, START } from '../../../support/store/incident-timeline.ts';

function silenced(state: IncidentState, comment: string): IncidentState {
  const silence = { cause: null, subject: null, from: START, until: START + HOUR, by: 'ops', comment };
  return next(state, { kind: 'silence', at: START, silence }, POLICY).state;
}

test('a silence has a name of its own', () => {
  const { silences, counter } = silenced(silenced(EMPTY_STATE, 'one'), 'two');
  expect(counter).toBe(2);
  expect(silences).toEqual(
    [1, 2].map((count) => ({
      id: `silence-${String(START)}-${String(count)}`,
      cause: null,
      subject: null,
      from: START,
      until: START + HOUR,
      by: 'ops',
      comment: count === 1 ? 'one' : 'two',
    })),
  );
});

test('what strangers write into one is a visible line of bounded length', () => {
  const silence = {
    cause: null,
    subject: null,
    from: START,
    until: START + 1,
    by: '\n'.repeat(999),
    comment: '\n'.repeat(999),
  };
  const { state } = next(EMPTY_STATE, { kind: 'silence', at: START, silence }, POLICY);
  expect(state.silences.map(({ by, comment }) => [by.length, comment.length])).toEqual([[100, 500]]);
});

test('one is ended by its name, and the others last', () => {
  const state = silenced(silenced(EMPTY_STATE, 'one'), 'two');
  const [first] = state.silences;
  const ended = next(state, { kind: 'unsilence', at: START, id: first?.id ?? '' }, POLICY).state;
  expect(ended.silences.map(({ comment }) => comment)).toEqual(['two']);
});

test('one too many drops the oldest', () => {
  const names = Array.from({ length: MAX_SILENCES + 2 }, (_, index) => String(index));
  expect(names.reduce(silenced, EMPTY_STATE).silences.map(({ comment }) => comment)).toEqual(names.slice(2));
});

test('as time goes on, nothing changes by itself', () => {
  const state = silenced(EMPTY_STATE, 'one');
  expect(next(state, { kind: 'tick', at: START }, POLICY)).toEqual({ state, effects: [] });
});
