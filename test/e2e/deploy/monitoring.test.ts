import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Daemon } from '../../../src/demo/daemon.ts';
import { createLab } from '../../../src/demo/lab/lab.ts';
import { createMailHost } from '../../../src/demo/lab/mail-host.ts';
import type { MailHost } from '../../../src/demo/lab/mail-host.ts';
import { startAgent } from '../../support/monitoring/pushing-agent.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { startShippedAlertmanager, startShippedPrometheus } from './shipped-monitoring.ts';
import type { AlertmanagerProcess } from '../../support/monitoring/alertmanager-process.ts';

const PATIENCE = { timeout: 30_000, interval: 100 };
/** The delay after which Alertmanager ends an alert once its incident has ended. */
const LINGER = 90_000;
/** Only the nightly run waits for that. */
const waits = process.env['FTM_LINGERING'] === 'yes';
const BROKEN = 'FtmActivationBroken';

async function causesIn(alertmanager: AlertmanagerProcess): Promise<readonly string[]> {
  const alerts = (await alertmanager.alerts()).filter(({ labels }) => labels['alertname'] === BROKEN);
  return alerts
    .map(({ labels, status }) => `${labels['site'] ?? ''} ${labels['cause'] ?? ''} ${status.state}`)
    .toSorted();
}

async function isIntercepted(agent: Daemon): Promise<boolean> {
  const metrics = await (await agent.get('/metrics')).text();
  return /^ftm_cause_active\{cause="tls-intercepted",severity="critical"\} 1$/mu.test(metrics);
}

/** Returns the subject of the open incident, as the agent exposes it. */
async function targetOf(agent: Daemon): Promise<string | undefined> {
  const metrics = await (await agent.get('/metrics')).text();
  return /^ftm_incident_open\{cause="tls-intercepted",severity="critical",subject="([^"]+:\d+)"\} 1$/mu.exec(
    metrics,
  )?.[1];
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
    const fault = `FortiToken Mobile activation is broken at lab: tls-intercepted (${await targetOf(agent)})`;
    await expect.poll(() => subjects(inbox), PATIENCE).toEqual([`CRITICAL FTM lab: ${fault}`]);

    await lab.inspect(false);
    await expect.poll(fired, PATIENCE).toEqual([]);
    await expect.poll(() => causesIn(alertmanager), PATIENCE).toEqual([]);
    await expect
      .poll(() => subjects(inbox), PATIENCE)
      .toEqual([`CRITICAL FTM lab: ${fault}`, `RESOLVED FTM lab: ${fault}`]);
  });

  it.runIf(waits)(
    'two agents that push, and a Prometheus that scrapes both, give one alert, also if one recovers first',
    async () => {
      await using lab = await createLab();
      await using inbox = await createMailHost();
      await using alertmanager = await startShippedAlertmanager(inbox.port);
      await using first = await startAgent(lab, 'first', [alertmanager.url], { sourceAddress: '127.0.0.2' });
      await using second = await startAgent(lab, 'second', [alertmanager.url]);
      for (const agent of [first, second])
        await agent.diagnosis(({ ready }) => ready === 'ready', AbortSignal.timeout(20_000));

      await lab.inspect(true);
      await expect.poll(() => causesIn(alertmanager), PATIENCE).toEqual(['lab tls-intercepted active']);
      for (const agent of [first, second]) await expect.poll(() => isIntercepted(agent), PATIENCE).toBe(true);
      await using prometheus = await startShippedPrometheus(alertmanager.url, [first.url, second.url], 'lab');
      const fired = async (): Promise<number> =>
        (await prometheus.firing()).filter(({ alertname }) => alertname === BROKEN).length;
      await expect.poll(fired, PATIENCE).toBe(1);
      await expect
        .poll(() => causesIn(alertmanager), PATIENCE)
        .toEqual(['lab tls-intercepted active', 'lab tls-intercepted suppressed']);
      await expect.poll(() => inbox.mails.length, PATIENCE).toBe(1);

      await lab.inspect(false);
      await lab.firewall.setMode({ kind: 'inspect', source: '127.0.0.1' });
      await expect.poll(() => isIntercepted(first), PATIENCE).toBe(false);
      // Longer than an alert lasts after its incident, so the second agent has kept it active.
      await setTimeout(LINGER + 5_000);
      expect(await isIntercepted(second)).toBe(true);
      expect(await causesIn(alertmanager)).toEqual(['lab tls-intercepted active', 'lab tls-intercepted suppressed']);
      expect(inbox.mails).toHaveLength(1);

      await lab.inspect(false);
      await expect.poll(() => isIntercepted(second), PATIENCE).toBe(false);
      await expect.poll(fired, PATIENCE).toBe(0);
      await expect.poll(() => causesIn(alertmanager), { ...PATIENCE, timeout: LINGER + 10_000 }).toEqual([]);
      await expect.poll(() => inbox.mails.length, PATIENCE).toBeGreaterThan(1);
      // By then, the firewall no longer reports which policy it was.
      const [, ...more] = subjects(inbox);
      expect(more).toEqual([expect.stringMatching(/^RESOLVED FTM lab: TLS is /u)]);
    },
    300_000,
  );

  it('a push holds back the scraped alert about the same fault, and no other', async () => {
    await using inbox = await createMailHost();
    await using alertmanager = await startShippedAlertmanager(inbox.port);
    const alertOf = (cause: string, subject: string, more: Readonly<Record<string, string>> = {}) => ({
      labels: { alertname: BROKEN, site: 'hq', severity: 'critical', cause, subject, ...more },
    });
    const scraped = { via: 'rules' };
    const alerts = [
      alertOf('appliance-unreachable', 'fac-1'),
      alertOf('appliance-unreachable', 'fac-1', scraped),
      alertOf('appliance-unreachable', 'fac-2', scraped),
      alertOf('mail-unreachable', 'smtp.provider.example:25'),
      alertOf('mail-unreachable', 'other', scraped),
      alertOf('mail-unreachable', 'other', { ...scraped, site: 'branch' }),
    ];
    await fetch(`${alertmanager.url}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(alerts),
    });
    const seen = async (): Promise<readonly string[]> =>
      (await alertmanager.alerts())
        .filter(({ status }) => status.state === 'active')
        .map(({ labels }) => [labels['site'], labels['subject'], labels['via'] ?? 'push'].join(' '))
        .toSorted();
    const told = ['branch other rules', 'hq fac-1 push', 'hq fac-2 rules', 'hq smtp.provider.example:25 push'];
    await expect.poll(seen, PATIENCE).toEqual(told);
  });
});
