import { expect, test } from 'vitest';
import { intermittence, quietPeriod } from '../../../../src/engine/incident/policy.ts';
import { MINUTE, POLICY } from '../../../support/incident-timeline.ts';

test('a cause that came back more often has to stay away for longer', () => {
  expect([0, 1, 2, 3, 4, 50].map((returns) => quietPeriod(POLICY, returns))).toEqual(
    [0, 1, 5, 15, 15, 15].map((minutes) => minutes * MINUTE),
  );
});

test('a fault that comes and goes is one at half of the last rounds, of as many as the confirmations ask for', () => {
  expect(intermittence({ ...POLICY, confirmations: 1 })).toEqual({ seen: 3, of: 6 });
  expect(intermittence({ ...POLICY, confirmations: 2 })).toEqual({ seen: 5, of: 10 });
});
