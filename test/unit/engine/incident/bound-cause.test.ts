import { describe, expect, test } from 'vitest';
import { type Cause, type RemedyStep, sentenceStep } from '../../../../src/engine/model.ts';
import { roundView } from '../../../../src/engine/incident/round-view.ts';
import { CHECKS } from '../../../../src/checks/registry.ts';
import { causeOf, diagnosisOf } from '../../../support/checks/diagnosis-of.ts';

const LONG = 'x\n'.repeat(1_000);

function boundCause(cause: Cause): Cause {
  const [bound] = roundView({ diagnosis: diagnosisOf(0, [cause]), fresh: null, checks: CHECKS }).causes;
  if (bound === undefined) throw new Error('Expected a cause');
  return bound;
}

test('a cause of ordinary size is kept as it is', () => {
  const cause = causeOf('tls-intercepted', { product: 'Squid', evidence: Array.from({ length: 12 }, () => 'seen') });
  expect(boundCause(cause)).toEqual(cause);
  expect(boundCause({ ...cause, product: null }).product).toBeNull();
});

test.each(['subject', 'product'] as const)('its %s is one visible line of a name', (field) => {
  const bound = boundCause(causeOf('tls-intercepted', { [field]: LONG }))[field];
  expect(bound).toMatch(/^x\\u\{A\}.*…$/u);
  expect(bound).toHaveLength(256);
});

test.each(['summary', 'impact'] as const)('its %s is one visible line', (field) => {
  const bound = boundCause(causeOf('tls-intercepted', { [field]: LONG }))[field];
  expect(bound).toMatch(/^x\\u\{A\}.*…$/u);
  expect(bound).toHaveLength(500);
});

test.each(['evidence', 'remedy'] as const)(
  'its %s is twelve visible lines, and says how many more there were',
  (field) => {
    const bound = boundCause(causeOf('tls-intercepted', { [field]: Array.from({ length: 15 }, () => LONG) }))[field];
    expect(bound).toHaveLength(13);
    expect(bound.slice(0, 12).every((line) => /^x\\u\{A\}.*…$/u.test(line) && line.length === 500)).toBe(true);
    expect(bound.at(-1)).toBe('… and 3 more');
  },
);

test('it has twelve consequences at most', () => {
  const consequences = Array.from({ length: 15 }, (_, index) => String(index));
  expect(boundCause(causeOf('tls-intercepted', { consequences })).consequences).toEqual(consequences.slice(0, 12));
});

describe('its steps', () => {
  const step = { text: LONG, commands: 'a\n  b', undo: null, syntax: 'shell', blanks: [] } as const;
  const bound = (...remedySteps: readonly RemedyStep[]) =>
    boundCause(causeOf('tls-blocked', { remedySteps })).remedySteps;

  test('are twelve, with one visible line of text each, and say how many more there were', () => {
    const steps = bound(...Array.from({ length: 15 }, () => step));
    expect(steps).toHaveLength(13);
    expect(steps[0]?.text).toHaveLength(500);
    expect(steps[0]?.commands).toBe('a\n  b');
    expect(steps.at(-1)).toEqual(sentenceStep('… and 3 more'));
  });

  test.each([
    ['a line that is too long', 'x'.repeat(501)],
    ['a line that is not visible', 'a\u0007'],
    ['too many lines', 'a\n'.repeat(60)],
  ])('keep no part of a block with %s: half of it would be run as well', (_, commands) => {
    expect(bound({ ...step, text: 'Do it.', commands })).toEqual([sentenceStep('Do it.')]);
    expect(bound({ ...step, text: 'Do it.', undo: commands })).toEqual([sentenceStep('Do it.')]);
  });
});
