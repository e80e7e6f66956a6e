import { describe, expect, test } from 'vitest';

import { withoutExplained } from '../../../../src/core/polling/explained.ts';
import type { PollingReport } from '../../../../src/core/polling/report.ts';

const MINUTE = 60_000;
const MENDED = Date.UTC(2026, 10, 24, 13);

function report(lastAt: number): PollingReport {
  const error = {
    signature: 'ftm-polling-timeout',
    cause: null,
    severity: 'critical' as const,
    summary: '',
    count: 1,
    firstAt: lastAt,
    lastAt,
    perHour: 1,
    sample: '',
    remedy: [],
  };
  return {
    window: 15 * MINUTE,
    silentAfter: 60 * MINUTE,
    appliances: [{ name: 'fac-1', errors: [error], lastLineAt: lastAt, silent: false, silentFor: null }],
    firewallEvidence: [],
  };
}

describe('withoutExplained()', () => {
  test.each([
    ['before the fault was seen last', MENDED - 5 * MINUTE, 0],
    ['in the aftermath of the repair', MENDED + MINUTE / 2, 0],
    ['after it', MENDED + 2 * MINUTE, 1],
  ])('an error %s', (_, lastAt, left) => {
    const { report: unexplained, notes } = withoutExplained(report(lastAt), MENDED);
    expect(unexplained.appliances[0]?.errors).toHaveLength(left);
    expect(notes.map(({ level }) => level)).toEqual(left === 0 ? ['note'] : []);
  });
});
