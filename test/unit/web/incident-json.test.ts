import { describe, expect, test } from 'vitest';
import { sentenceStep } from '../../../src/engine/model.ts';
import { byUrgency, incidentsToJson } from '../../../src/web/incident-json.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { MINUTE, START, timeline } from '../../support/store/incident-timeline.ts';

describe('incidentsToJson()', () => {
  test('tells an open incident', () => {
    const [incident] = timeline().rounds(2, [causeOf('tls-blocked')]).state.incidents;
    if (incident === undefined) throw new Error('No incident was opened');

    expect(incidentsToJson([incident])[0]).toEqual({
      id: incident.id,
      status: 'open',
      cause: 'tls-blocked',
      subject: 'fortitokenmobile.fortinet.com:443',
      severity: 'critical',
      confidence: 'confirmed',
      summary: 'Summary of tls-blocked',
      remedy: ['Do this.', 'Then do that.'],
      remedySteps: ['Do this.', 'Then do that.'].map(sentenceStep),
      since: new Date(START).toISOString(),
      causeSince: new Date(START).toISOString(),
      openedAt: new Date(START + 30_000).toISOString(),
      closedAt: null,
      lastSeen: new Date(START + 30_000).toISOString(),
      earlier: [],
      flapping: false,
      formerCauses: [],
      acknowledgement: null,
      notifications: incident.thread.count,
    });
  });
});

describe('byUrgency()', () => {
  test('puts open ones first, then the latest', () => {
    const line = timeline()
      .rounds(2, [causeOf('mail-unreachable', { severity: 'warning' })])
      .rounds(3, [], MINUTE)
      .rounds(2, [causeOf('tls-blocked')])
      .rounds(2, [causeOf('tls-blocked'), causeOf('clock-skewed', { severity: 'warning' })]);

    expect(byUrgency(line.state.incidents).map(({ status, cause }) => `${status} ${cause.id}`)).toEqual([
      'open clock-skewed',
      'open tls-blocked',
      'closed mail-unreachable',
    ]);
  });
});
