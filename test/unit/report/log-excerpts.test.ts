import { describe, expect, test } from 'vitest';
import type { LogEvent } from '../../../src/core/polling/log-event.ts';
import { readPolling } from '../../../src/logs/polling-log.ts';
import { emptyPolling, recordEvents } from '../../../src/core/polling/state.ts';
import { logExcerpts, logExcerptsText } from '../../../src/report/timeline.ts';
import { ALL_TIME } from '../../../src/core/time-text.ts';
import { createMask } from '../../../src/text/mask.ts';
import type { LogMemory } from '../../../src/report/report-contents.ts';

const T0 = Date.parse('2026-11-24T13:00:00Z');

const OPTIONS = { mask: createMask({ accounts: [], withoutSecrets: (text) => text }), period: ALL_TIME };

function heard(index: number, count = 1): LogEvent {
  return {
    kind: 'ftm',
    appliance: 'fac-1',
    signature: 'alpha',
    at: T0 + index * 1_000,
    count,
    line: `line ${String(index)} user="jdoe"`,
    reliable: false,
  };
}

function memory(events: readonly LogEvent[]): LogMemory {
  return { kind: 'read', state: recordEvents(emptyPolling(900_000), events), listeningSince: null };
}

describe('log excerpts', () => {
  test('are the latest of each kind, oldest first, and tell how many were not kept', () => {
    const { note, dropped, lines } = logExcerpts(
      memory([heard(20, 5), ...Array.from({ length: 12 }, (_, index) => heard(index))]),
      OPTIONS,
    );
    expect({ note, dropped }).toEqual({ note: null, dropped: 5 });
    expect(lines.map(({ at, count }) => `${at} ${String(count)}`)).toEqual([
      ...[5, 6, 7, 8, 9].map((second) => `2026-11-24T13:00:0${String(second)}.000Z 1`),
      '2026-11-24T13:00:10.000Z 1',
      '2026-11-24T13:00:11.000Z 1',
      '2026-11-24T13:00:20.000Z 5',
    ]);
    expect(lines[0]?.line).toBe('line 5 user=<user>');
  });

  test('hold what an older version kept', () => {
    const signatures = {
      alpha: { lastAt: T0, sample: 'old line', buckets: [{ start: T0, firstAt: T0, count: 3 }] },
    };
    const stored = {
      version: 1,
      bucketMs: 15_000,
      appliances: { 'fac-1': { lastLineAt: T0, signatures } },
      firewall: [],
    };
    const state = readPolling(stored, T0) ?? emptyPolling(900_000);
    expect(logExcerpts({ kind: 'read', state, listeningSince: null }, OPTIONS)).toMatchObject({
      dropped: 2,
      lines: [{ line: 'old line', count: 1 }],
    });
  });

  test('hold what firewalls admitted', () => {
    const evidence = {
      device: 'FGT-1',
      policy: '5',
      profile: 'deep',
      action: null,
      sourceAddress: null,
      destinationAddress: null,
      hostName: null,
    };
    const { lines, dropped } = logExcerpts(
      memory([
        {
          kind: 'firewall-evidence',
          ofUnit: true,
          signature: 'inspected',
          at: T0,
          count: 4,
          evidence,
          line: 'a line',
          reliable: false,
        },
      ]),
      OPTIONS,
    );
    expect(lines).toMatchObject([{ from: 'FGT-1', signature: 'inspected', line: 'a line' }]);
    expect(dropped).toBe(3);
  });

  test.each([
    [{ kind: 'none' }, /./u],
    [{ kind: 'unreadable', message: 'it is damaged' }, /: it is damaged$/u],
    [memory([]), /./u],
  ] as const)('say why there are none', (kept, note) => {
    const excerpts = logExcerpts(kept, OPTIONS);
    expect(excerpts.note).toMatch(note);
    expect(logExcerptsText(excerpts)).toContain(`# ${excerpts.note ?? ''}\n`);
  });

  test('are a line each as text', () => {
    const text = logExcerptsText(logExcerpts(memory([heard(0, 2)]), OPTIONS));
    expect(text.split('\n').filter((line) => !line.startsWith('#'))).toEqual([
      '2026-11-24T13:00:00.000Z fac-1 alpha ×2: line 0 user=<user>',
      '',
    ]);
  });
});
