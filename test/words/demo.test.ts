import { test } from 'vitest';
import { SCENARIOS } from '../../src/demo/scenarios.ts';
import { expectRecorded, outline } from './recorded.ts';

test('the faults of the demo', async () => {
  await expectRecorded(
    'demo',
    Object.fromEntries(
      SCENARIOS.map(({ name, title, fault, repair, cause }) => [name, outline({ title, fault, repair, cause })]),
    ),
  );
});
