import { expect, test } from 'vitest';
import { intermittence } from '../../../../src/engine/incident/incident.ts';
import { POLICY } from '../../../support/store/incident-timeline.ts';

test('an intermittent fault is one at half of the last rounds, of as many as the confirmations ask for', () => {
  expect(intermittence({ ...POLICY, confirmations: 1 })).toEqual({ seen: 3, of: 6 });
  expect(intermittence({ ...POLICY, confirmations: 2 })).toEqual({ seen: 5, of: 10 });
});
