import { describe, expect, test } from 'vitest';
import type { Silence } from '../../../../src/engine/incident/incident.ts';
import { MAX_SILENCES } from '../../../../src/engine/incident/machine.ts';
import { causeOf } from '../../../support/checks/diagnosis-of.ts';
import { timeline, type Timeline } from '../../../support/store/incident-timeline.ts';
import { HOUR, SECOND } from '../../../support/time/units.ts';

const CAUSE = causeOf('tls-intercepted');
const OTHER = causeOf('clock-skewed');
const FIRING = ['firing tls-intercepted'];

/** Adds a silence of everything for an hour from now, except for these changes, which are relative to now. */
function silence(line: Timeline, { from = 0, until = HOUR, ...more }: Partial<Omit<Silence, 'id'>> = {}): Timeline {
  const all = { cause: null, subject: null, by: 'ops', comment: '', ...more };
  const silenced = { ...all, from: line.now + from, until: line.now + until };
  return line.input({ kind: 'silence', at: line.now, silence: silenced });
}

function maintenance(line: Timeline, active: boolean): Timeline {
  return line.input({ kind: 'maintenance', at: line.now, active });
}

/** When an incident opens, 30 s after the silence was added. */
const OPENS = 30 * SECOND;

describe('a silence', () => {
  test.each<readonly [string, Partial<Silence>, boolean]>([
    ['of everything', {}, true],
    ['that begins now', { from: OPENS }, true],
    ['that begins later', { from: OPENS + 1 }, false],
    ['that ends a moment later', { until: OPENS + 1 }, true],
    ['that ends now', { until: OPENS }, false],
    ['of this cause', { cause: CAUSE.id }, true],
    ['of another cause', { cause: 'tls-blocked' }, false],
    ['of this subject', { subject: CAUSE.subject }, true],
    ['of another subject', { subject: 'other.example:443' }, false],
    ['of this cause elsewhere', { cause: CAUSE.id, subject: 'other.example:443' }, false],
  ])('%s mutes, or does not', (_, more, isMuted) => {
    expect(silence(timeline(), more).rounds(2, [CAUSE]).heard()).toEqual(isMuted ? [] : FIRING);
  });

  test('is enough beside others that do not fit, and ends at its time, when it is dropped', () => {
    const line = silence(silence(timeline(), { cause: 'tls-blocked', until: 2 * HOUR }), { cause: CAUSE.id });
    expect(line.rounds(2, [CAUSE, OTHER]).heard()).toEqual(['firing clock-skewed']);
    expect(line.later(HOUR).heard()).toEqual(FIRING);
    expect(line.state.silences.map(({ cause }) => cause)).toEqual(['tls-blocked']);
  });

  test('begins at a planned time', () => {
    const line = silence(timeline(), { from: HOUR, until: 3 * HOUR }).rounds(2, [CAUSE]);
    expect(line.heard()).toEqual(FIRING);
    expect(line.wait(HOUR).rounds(2, [CAUSE, OTHER]).heard()).toEqual([]);
    expect(line.later(2 * HOUR).heard()).toEqual(['firing clock-skewed']);
  });

  test('is ended by its name, and others last', () => {
    const line = silence(silence(timeline()), { cause: OTHER.id }).rounds(2, [CAUSE]);
    expect(line.heard()).toEqual([]);
    const [one, two] = line.state.silences;
    expect([one?.id, two?.id]).toEqual([1, 2].map((count) => expect.stringMatching(`^silence-\\d+-${String(count)}$`)));
    line.input({ kind: 'unsilence', at: line.now, id: one?.id ?? '' });
    expect(line.heard()).toEqual(FIRING);
    expect(line.state.silences).toEqual([two]);
  });

  test('has a bounded visible line of what people write', () => {
    const { state } = silence(timeline(), { by: '\n'.repeat(999), comment: '\n'.repeat(999) });
    expect(state.silences.map(({ by, comment }) => [by.length, comment.length])).toEqual([[100, 500]]);
    expect(JSON.stringify(state)).not.toContain(String.raw`\n`);
  });

  test('too many drop the oldest', () => {
    const line = timeline();
    for (let index = 0; index < MAX_SILENCES + 2; index += 1) silence(line, { comment: String(index) });
    expect(line.state.silences.map(({ comment }) => Number(comment))).toEqual(
      Array.from({ length: MAX_SILENCES }, (_, index) => index + 2),
    );
  });

  test('does not change as time goes on', () => {
    const { state } = silence(timeline());
    const line = silence(timeline()).tick();
    expect([line.state, line.told, line.transitions]).toEqual([state, [], []]);
  });
});

describe('maintenance', () => {
  test('lets incidents go on and tells at the end what is still open', () => {
    const line = maintenance(timeline(), true).rounds(4, [CAUSE, OTHER]).rounds(2, [CAUSE]);
    expect(line.transitions).toEqual(['opened tls-intercepted', 'opened clock-skewed', 'closed clock-skewed']);
    expect(line.heard()).toEqual([]);
    expect(maintenance(line, false).heard()).toEqual(FIRING);
    expect(line.later(2 * HOUR).heard()).toEqual([]);
  });

  test('tells the end of what was told before, once it is over', () => {
    const line = maintenance(timeline().rounds(2, [CAUSE]), true).rounds(3, []);
    expect(line.heard()).toEqual(FIRING);
    expect(maintenance(line.wait(2 * HOUR), false).heard()).toEqual(['resolved tls-intercepted']);
  });
});
