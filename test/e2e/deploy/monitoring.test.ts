import { expect, it } from 'vitest';
import { createLab } from '../../lab/lab.ts';
import { createMailHost } from '../../lab/mail-host.ts';
import type { MailHost } from '../../lab/mail-host.ts';
import { startAgent } from '../../support/pushing-agent.ts';
import { describeWhere } from '../../support/privilege.ts';
import { startShippedAlertmanager, startShippedPrometheus } from '../../support/shipped-monitoring.ts';
import type { Alertmanager } from '../../support/shipped-monitoring.ts';

const PATIENCE = { timeout: 30_000, interval: 100 };
const BROKEN = 'FtmActivationBroken';

async function causesIn(alertmanager: Alertmanager): Promise<readonly string[]> {
  const alerts = (await alertmanager.alerts()).filter(({ labels }) => labels['alertname'] === BROKEN);
  return alerts.map(({ labels, status }) => `${labels['site'] ?? ''} ${labels['cause'] ?? ''} ${status.state}`).toSorted();
}

function subjects({ mails }: MailHost): readonly string[] {
  return mails.map(({ subject }) => subject);
}

describeWhere([{ program: 'prometheus' }, { program: 'prometheus-alertmanager' }], 'with the shipped files', () => {
  it('a fault fires in Prometheus, arrives in Alertmanager once, is mailed, and clears', async () => {
    await using lab = await createLab();
    await using inbox = await createMailHost();
    await using alertmanager = await startShippedAlertmanager(inbox.port);
    await using agent = await startAgent(lab, 'agent', []);
    await using prometheus = await startShippedPrometheus(alertmanager.url, [agent.url], 'lab');
    const fired = async (): Promise<readonly string[]> =>
      (await prometheus.firing()).filter(({ alertname }) => alertname === BROKEN).map(({ cause = '' }) => cause);
    await agent.diagnosis(({ ready }) => ready === 'ready', AbortSignal.timeout(20_000));
    expect(await fired()).toEqual([]);

    await lab.inspect(true);
    await expect.poll(fired, PATIENCE).toEqual(['tls-intercepted']);
    await expect.poll(() => causesIn(alertmanager), PATIENCE).toEqual(['lab tls-intercepted active']);
    const subject = '[lab] FortiToken Mobile activation is broken at lab: tls-intercepted';
    await expect.poll(() => subjects(inbox), PATIENCE).toEqual([subject]);

    await lab.inspect(false);
    await expect.poll(fired, PATIENCE).toEqual([]);
    await expect.poll(() => causesIn(alertmanager), PATIENCE).toEqual([]);
    await expect.poll(() => subjects(inbox), PATIENCE).toEqual([subject, subject.replace('[lab]', '[lab] Over:')]);
  });

  it('a pair of agents that push, and Prometheus that scrapes both, give one alert', async () => {
    await using lab = await createLab();
    await using inbox = await createMailHost();
    await using alertmanager = await startShippedAlertmanager(inbox.port);
    await using first = await startAgent(lab, 'first', [alertmanager.url]);
    await using second = await startAgent(lab, 'second', [alertmanager.url]);
    for (const agent of [first, second]) await agent.diagnosis(({ ready }) => ready === 'ready', AbortSignal.timeout(20_000));

    await lab.inspect(true);
    await expect.poll(() => causesIn(alertmanager), PATIENCE).toEqual(['lab tls-intercepted active']);
    for (const agent of [first, second]) {
      await expect
        .poll(async () => (await agent.get('/metrics')).text(), PATIENCE)
        .toMatch(/^ftm_cause_active\{cause="tls-intercepted",severity="critical"\} 1$/mu);
    }
    await using prometheus = await startShippedPrometheus(alertmanager.url, [first.url, second.url], 'lab');
    await expect.poll(async () => (await prometheus.firing()).filter(({ alertname }) => alertname === BROKEN).length, PATIENCE).toBe(1);
    await expect.poll(() => causesIn(alertmanager), PATIENCE).toEqual(['lab tls-intercepted active', 'lab tls-intercepted suppressed']);
    await expect.poll(() => inbox.mails.length, PATIENCE).toBe(1);

    await lab.inspect(false);
    await expect.poll(() => causesIn(alertmanager), PATIENCE).toEqual([]);
  });
});
