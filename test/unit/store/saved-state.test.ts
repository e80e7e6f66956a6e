import { describe, expect, it } from 'vitest';
import { parseNotification, parseState } from '../../../src/store/saved-state.ts';
import { causeOf } from '../../support/diagnosis-of.ts';
import { MINUTE, START, timeline } from '../../support/incident-timeline.ts';

const suspected = causeOf('tls-interception-suspected', { confidence: 'suspected' });

/** Without what 0.1.0 did not know of. */
const NEW_KEYS: ReadonlySet<string> = new Set([
  'origin',
  'unjudged',
  'looks',
  'named',
  'replacedAt',
  'merged',
  'mergedInto',
  'stillOpen',
]);

/** As 0.1.0 wrote it. */
function asBefore(value: unknown): string {
  return JSON.stringify(value, (key, inner: unknown) => {
    if (NEW_KEYS.has(key)) return undefined;
    if (key !== 'formerCauses' || !Array.isArray(inner)) return inner;
    return inner.map(({ id, subject, severity, until }: Record<string, unknown>) => ({ id, subject, severity, until }));
  });
}

describe('what 0.1.0 wrote', () => {
  it('is read: an open incident with its causes, what was told of it, and a candidate', () => {
    const line = timeline()
      .rounds(2, [suspected])
      .rounds(3, [causeOf('tls-intercepted')])
      .rounds(1, [causeOf('tls-intercepted'), causeOf('clock-skewed')]);
    expect(parseState(asBefore(line.state))?.state).toMatchObject({
      origin: '',
      unjudged: [],
      candidates: [{ cause: { id: 'clock-skewed' }, streak: 1, looks: [START + 2.5 * MINUTE] }],
      incidents: [
        {
          cause: { id: 'tls-intercepted' },
          merged: [],
          mergedInto: null,
          formerCauses: [
            { id: 'tls-interception-suspected', since: START, until: START + MINUTE / 2, published: true },
          ],
          told: { cause: 'tls-intercepted', named: [{ cause: 'tls-intercepted', severity: 'critical' }] },
        },
      ],
    });
  });

  it('goes on: nothing is told twice, and the end is told', () => {
    const line = timeline().rounds(4, [causeOf('tls-intercepted')]);
    line.heard();
    line.state = parseState(asBefore(line.state))?.state ?? line.state;
    expect(line.rounds(4, [causeOf('tls-intercepted')]).heard()).toEqual([]);
    expect(line.rounds(4, []).heard()).toEqual(['resolved tls-intercepted']);
  });

  it('is delivered: a notification on its way', () => {
    const [notification] = timeline().rounds(2, [suspected]).told;
    expect(parseNotification(asBefore(notification))).toMatchObject({ kind: 'incident', stillOpen: [] });
  });
});

describe('what this version writes', () => {
  it('is read as it was written', () => {
    const line = timeline()
      .rounds(2, [suspected])
      .rounds(2, [causeOf('answer-hijacked')])
      .rounds(3, [suspected, causeOf('clock-skewed')]);
    expect(parseState(JSON.stringify(line.state))?.state).toEqual(line.state);
    for (const notification of line.told) expect(parseNotification(JSON.stringify(notification))).toEqual(notification);
  });
});
