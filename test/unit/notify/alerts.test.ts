import { describe, expect, it } from 'vitest';
import { alertsOf } from '../../../src/notify/channels/alertmanager.ts';
import { withIncidents } from '../../../src/engine/incident/incident.ts';
import type { MessageContext } from '../../../src/document/notification.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { AT_HQ } from '../../support/checks/message-context.ts';
import { HOUR, MINUTE, SECOND, timeline, type Timeline } from '../../support/store/incident-timeline.ts';

const intercepted = causeOf('tls-intercepted');

function alerts(line: Timeline, after = 0): readonly string[] {
  return alertsOf(line.state, AT_HQ, line.now + after).map(
    ({ firing, body }) => `${firing ? 'firing' : 'resolved'} ${body.labels.cause} ${body.labels.severity}`,
  );
}

describe('alertsOf', () => {
  it('has an alert for each open incident, and for a quarter of an hour each that ended', () => {
    const line = timeline().rounds(2, [intercepted]);
    expect(alerts(line)).toEqual(['firing tls-intercepted critical']);
    line.rounds(2, []);
    expect(alerts(line)).toEqual(['resolved tls-intercepted critical']);
    expect(alertsOf(line.state, AT_HQ, line.now)[0]?.body.endsAt).toBe(
      new Date(line.now - 30 * SECOND + 90 * SECOND).toISOString(),
    );
    expect(alerts(line, 14 * MINUTE)).toHaveLength(1);
    expect(alerts(line, 15 * MINUTE)).toHaveLength(0);
  });

  it('has none for an open incident that is not verified, until a round has judged it', () => {
    const line = timeline().rounds(2, [intercepted]);
    line.state = withIncidents(
      line.state,
      line.state.incidents.map((one) => ({ ...one, presence: 'unverified' })),
    );
    expect(alerts(line.tick())).toEqual([]);
    expect(alerts(line.round([], { 'tls-genuine': 'unknown' }))).toEqual([]);
    expect(alerts(line.round([intercepted]))).toEqual(['firing tls-intercepted critical']);
  });

  it('ends the alert of the former cause when the cause is understood better', () => {
    const line = timeline()
      .rounds(2, [causeOf('egress-blocked')])
      .explained(2, causeOf('internet-unreachable', { subject: 'internet' }), [causeOf('egress-blocked')]);
    expect(alerts(line)).toEqual(['resolved egress-blocked critical', 'firing internet-unreachable critical']);
    line.rounds(2, [causeOf('egress-blocked')]);
    expect(alerts(line)).toEqual(['firing egress-blocked critical', 'resolved internet-unreachable critical']);
  });

  it('has one end for each set of labels: the last one', () => {
    const line = timeline()
      .rounds(2, [causeOf('egress-blocked')])
      .explained(2, causeOf('internet-unreachable', { subject: 'internet' }), [causeOf('egress-blocked')])
      .rounds(2, [causeOf('egress-blocked')])
      .rounds(4, []);
    expect(alerts(line)).toEqual(['resolved egress-blocked critical', 'resolved internet-unreachable critical']);
    const closedAt = line.state.incidents[0]?.closedAt ?? 0;
    expect(alertsOf(line.state, AT_HQ, line.now)[0]?.body.endsAt).toBe(new Date(closedAt + 90 * SECOND).toISOString());
  });

  it('begins no alert after its end, nor in the future, when the clock was set back', () => {
    const line = timeline().rounds(2, [intercepted]);
    const [open] = alertsOf(line.state, AT_HQ, line.now - HOUR);
    expect(open?.body.startsAt).toBe(new Date(line.now - HOUR).toISOString());
    line.wait(-HOUR).rounds(2, []);
    const [over] = alertsOf(line.state, AT_HQ, line.now);
    expect(over?.firing).toBe(false);
    expect(Date.parse(over?.body.startsAt ?? '')).toBeLessThan(Date.parse(over?.body.endsAt ?? ''));
  });

  it('ends the alert of the former severity', () => {
    const line = timeline()
      .rounds(2, [causeOf('clock-skewed', { severity: 'warning' })])
      .rounds(1, [causeOf('clock-skewed')]);
    expect(alertsOf(line.state, AT_HQ, line.now).map(({ firing, body }) => [firing, body.labels.alertname])).toEqual([
      [false, 'FtmActivationAtRisk'],
      [true, 'FtmActivationBroken'],
    ]);
  });

  it('says of what is only not seen that the watcher is blind', () => {
    const unread = causeOf('appliance-access-denied', { severity: 'warning', subject: 'fac-1' });
    const line = timeline().rounds(2, [
      unread,
      causeOf('tokens-running-out', { severity: 'warning', subject: 'fac-1' }),
    ]);
    expect(
      alertsOf(line.state, AT_HQ, line.now).map(({ body }) => `${body.labels.alertname} ${body.labels.cause}`),
    ).toEqual(['FtmWatcherBlind appliance-access-denied', 'FtmActivationAtRisk tokens-running-out']);
  });

  it('goes on with the cause that Alertmanager knows while maintenance keeps the present one back', () => {
    const suspected = causeOf('tls-interception-suspected', { confidence: 'suspected' });
    const line = timeline().rounds(2, [suspected]);
    line.input({ kind: 'maintenance', at: line.now, active: true }).rounds(4, [intercepted]);
    expect(line.transitions.at(-1)).toBe('changed tls-intercepted');
    expect(alerts(line)).toEqual(['firing tls-interception-suspected critical']);
    line.input({ kind: 'maintenance', at: line.now, active: false });
    expect(alerts(line)).toEqual(['resolved tls-interception-suspected critical', 'firing tls-intercepted critical']);
    line.input({ kind: 'maintenance', at: line.now, active: true }).rounds(4, []);
    expect(alerts(line)).toEqual(['resolved tls-interception-suspected critical', 'resolved tls-intercepted critical']);
  });

  it('has nothing new in maintenance, whatever takes turns with what Alertmanager knows', () => {
    const hijacked = causeOf('answer-hijacked', { subject: 'fortitokenmobile.fortinet.com' });
    const line = timeline().rounds(4, [intercepted]);
    line.input({ kind: 'maintenance', at: line.now, active: true });
    for (const cause of [hijacked, intercepted, hijacked]) {
      expect(alerts(line.rounds(4, [cause]))).toEqual(['firing tls-intercepted critical']);
    }
    expect(line.state.incidents).toHaveLength(1);
    line.input({ kind: 'maintenance', at: line.now, active: false });
    expect(alerts(line)).toContain('firing answer-hijacked critical');
  });

  it('ends in maintenance what it knows of an incident whose present cause it never knew', () => {
    const line = timeline().rounds(2, [causeOf('tls-interception-suspected', { confidence: 'suspected' })]);
    line.input({ kind: 'maintenance', at: line.now, active: true }).rounds(4, [intercepted]).rounds(4, []);
    expect(alerts(line)).toEqual(['resolved tls-interception-suspected critical']);
  });

  it('has none for information, nor for what began in maintenance, until it is over', () => {
    const line = timeline();
    line
      .input({ kind: 'maintenance', at: line.now, active: true })
      .rounds(2, [intercepted, causeOf('certificate-rotated', { severity: 'info' })]);
    expect(alerts(line)).toEqual([]);
    line.input({ kind: 'maintenance', at: line.now, active: false });
    expect(alerts(line)).toEqual(['firing tls-intercepted critical']);
    line.input({ kind: 'maintenance', at: line.now, active: true });
    expect(alerts(line, HOUR)).toEqual(['firing tls-intercepted critical']);
  });

  it('has no empty label', () => {
    const line = timeline().rounds(2, [causeOf('clock-skewed', { subject: '' })]);
    expect(alertsOf(line.state, AT_HQ, line.now)[0]?.body.labels.subject).toBe('-');
  });

  it('links to the incident and the runbook of its cause, also of a former one, where people can open them', () => {
    const line = timeline()
      .rounds(2, [causeOf('egress-blocked')])
      .explained(2, causeOf('internet-unreachable', { subject: 'internet' }), [causeOf('egress-blocked')]);
    const links = (context: MessageContext): readonly unknown[] =>
      alertsOf(line.state, context, line.now).map(({ body }) => [body.generatorURL, body.annotations['runbook_url']]);
    const incident = 'https://ftm.example.org/incidents/20261124T130030Z-a1b2c3d4e5-1';
    expect(links({ ...AT_HQ, publicUrl: 'https://ftm.example.org' })).toEqual([
      [incident, 'https://ftm.example.org/runbooks/egress-blocked'],
      [incident, 'https://ftm.example.org/runbooks/internet-unreachable'],
    ]);
    expect(links({ ...AT_HQ, runbookUrl: 'https://wiki.example.org/ftm' })).toEqual([
      [undefined, 'https://wiki.example.org/ftm/egress-blocked'],
      [undefined, 'https://wiki.example.org/ftm/internet-unreachable'],
    ]);
    expect(JSON.stringify(alertsOf(line.state, AT_HQ, line.now))).not.toMatch(/http|URL|runbook/u);
  });
});
