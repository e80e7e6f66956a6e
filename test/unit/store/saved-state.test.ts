import { describe, expect, it } from 'vitest';
import type { Culprit } from '../../../src/core/firewall.ts';
import { sentenceStep } from '../../../src/engine/model.ts';
import { parseIncident, parseNotification, parseState } from '../../../src/store/saved-state.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { START, timeline } from '../../support/store/incident-timeline.ts';
import { MINUTE } from '../../support/time/units.ts';

const culprit: Culprit = {
  firewall: 'FortiGate fw',
  firewallHost: 'fw',
  serial: 'FG1',
  action: 'inspects',
  policy: { id: 5, name: null },
  profile: 'deep',
  incoming: null,
  outgoing: 'wan1',
};
/** Reports from the firewall and the log, which few causes have. */
const REPORTS = {
  culprit: { ...culprit, serial: null, policy: { id: 5, name: 'out' }, outgoing: null },
  policyReport: 'Policy 5 "out" uses SSL profile "deep".',
  said: 'SSL session failed',
  peer: 'fac-2',
  observed: 'the parcel was opened',
} as const;

const suspected = causeOf('tls-interception-suspected', { confidence: 'suspected' });
const blamed = { ...suspected, culprit, said: 'SSL session failed' };
const byPolicy = { ...suspected, ...REPORTS };

/** Keys that 0.1.0 did not have. */
const NEW_KEYS: readonly string[] = (
  'origin unjudged looks named replacedAt stillOpen remedySteps attached earlier clear clearBefore ' +
  'openingPolicyReport policyReport culprit said peer observed'
).split(' ');

const OLD_NAMES: ReadonlyMap<string, string> = new Map([
  ['presence', 'sight'],
  ['lastNotified', 'told'],
  ['awaitsDigest', 'held'],
]);

/** Returns what 0.1.0 wrote: the state or a notification. */
function asBefore(whole: unknown): string {
  return JSON.stringify(whole, (key, inner: unknown) => {
    if (NEW_KEYS.includes(key)) return undefined;
    if (Array.isArray(inner))
      return key === 'formerCauses'
        ? inner.map(({ id, subject, severity, until }: Record<string, unknown>) => ({ id, subject, severity, until }))
        : inner;
    if (typeof inner !== 'object' || inner === null) return inner;
    return Object.fromEntries(Object.entries(inner).map(([name, value]) => [OLD_NAMES.get(name) ?? name, value]));
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
      candidates: [{ cause: { id: 'clock-skewed' }, streak: 1, looks: [START + 2.5 * MINUTE], clearBefore: null }],
      incidents: [
        {
          cause: { id: 'tls-intercepted', remedySteps: ['Do this.', 'Then do that.'].map(sentenceStep) },
          earlier: [],
          clear: { before: null, after: null },
          formerCauses: [
            { id: 'tls-interception-suspected', since: START, until: START + MINUTE / 2, published: true },
          ],
          lastNotified: { cause: 'tls-intercepted', named: [{ cause: 'tls-intercepted', severity: 'critical' }] },
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
    const [told] = timeline().rounds(2, [suspected]).told;
    expect(parseNotification(asBefore(told))).toMatchObject({ kind: 'incident', stillOpen: [] });
  });
});

describe('what another version writes', () => {
  it('is read except for the rows that this version does not know, which are counted', () => {
    const { state } = timeline().rounds(4, [causeOf('tls-intercepted'), causeOf('clock-skewed')]);
    const [known] = state.incidents;
    const text = JSON.stringify(state).replaceAll('"clock-skewed"', '"cause-of-the-future"');
    expect(parseState(text)).toMatchObject({ state: { incidents: [{ id: known?.id }] }, unread: 1 });
  });
});

describe('what this version writes', () => {
  it('is read as it was written', () => {
    const line = timeline()
      .rounds(2, [])
      .rounds(2, [blamed])
      .rounds(2, [])
      .rounds(2, [blamed])
      .rounds(2, [causeOf('answer-hijacked')])
      .rounds(3, [byPolicy, causeOf('clock-skewed')]);
    expect(line.state.incidents).toContainEqual(expect.objectContaining({ cause: expect.objectContaining(REPORTS) }));
    expect(line.state.incidents.some(({ earlier, clear }) => earlier.length > 0 && clear.before !== null)).toBe(true);
    expect(parseState(JSON.stringify(line.state))?.state).toEqual(line.state);
    for (const notification of line.told) expect(parseNotification(JSON.stringify(notification))).toEqual(notification);
    for (const incident of line.state.incidents) expect(parseIncident(JSON.stringify(incident))).toEqual(incident);
  });
});
