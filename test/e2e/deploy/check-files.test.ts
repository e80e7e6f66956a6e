import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { ruleFiles, ruleTestFiles } from '../../support/monitoring/alert-rules.ts';
import { renderTemplate } from '../../support/monitoring/rendered-template.ts';
import { describeWhere } from '../../support/process/privilege.ts';

const run = promisify(execFile);
const ALERTMANAGER = 'deploy/alertmanager/alertmanager.yml';

describeWhere([{ program: 'promtool' }], 'promtool takes', () => {
  it('the configuration', async () => {
    const { stdout } = await run('promtool', ['check', 'config', 'deploy/prometheus/prometheus.yml']);
    expect(stdout).toContain('2 rule files found');
  });

  it('the rules', async () => {
    const { stdout } = await run('promtool', ['check', 'rules', '--lint-fatal', ...ruleFiles()]);
    expect(stdout.match(/SUCCESS/gu)).toHaveLength(ruleFiles().length);
  });

  it.each(ruleTestFiles())('the tests in %s', (file) => {
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
    expect(`${stdout}${stderr}`).toContain('SUCCESS');
    expect(status).toBe(0);
  });
});

describeWhere([{ program: 'podman-compose' }], 'compose', () => {
  const composed = (password: string): string => {
    const args = ['--file', resolve('deploy/compose.yaml'), 'config'];
    const env = { ...process.env, GRAFANA_PASSWORD: password };
    return execFileSync('podman-compose', args, { encoding: 'utf8', env });
  };

  it('asks for no password where Grafana is not started, as for "compose exec"', () => {
    expect(composed('')).toContain('ftm-watch');
  });

  it.each([
    ['', 1, 'Set GRAFANA_PASSWORD'],
    ['secret', 127, '/run.sh: not found'],
  ])('starts Grafana with the password "%s": exit code %i, "%s"', (password, code, told) => {
    const grafana = z
      .object({ services: z.object({ grafana: z.object({ entrypoint: z.array(z.string()) }) }) })
      .parse(parse(composed(password))).services.grafana;
    const [shell = '', ...args] = grafana.entrypoint;
    const env = { GF_SECURITY_ADMIN_PASSWORD: password };
    const { status, stderr } = spawnSync(shell, args, { encoding: 'utf8', env });
    expect(stderr).toContain(told);
    expect(status).toBe(code);
  });
});

describeWhere([{ program: 'vmalert-tool' }], 'VictoriaMetrics', () => {
  it.each(ruleTestFiles())('passes the tests in %s', { timeout: 180_000 }, (file) => {
    // Prometheus does not add the label "alertgroup".
    const args = ['unittest', '--disableAlertgroupLabel', `--files=${file}`];
    const { status, stdout, stderr } = spawnSync('vmalert-tool', args, { encoding: 'utf8' });
    expect(`${stdout}${stderr}`).toContain('SUCCESS');
    expect(status).toBe(0);
  });
});

describeWhere([{ program: 'amtool' }], 'amtool takes', () => {
  it('the configuration', async () => {
    const { stdout } = await run('amtool', ['check-config', ALERTMANAGER]);
    expect(stdout).toContain(' - 5 inhibit rules');
  });

  it.each([
    { labels: ['alertname=FtmActivationBroken', 'site=hq', 'response=page'], receiver: 'page' },
    { labels: ['alertname=FtmActivationBroken', 'cause=license-server-down', 'response=page'], receiver: 'page' },
    { labels: ['alertname=FtmVendorOutage', 'response=page'], receiver: 'page' },
    { labels: ['alertname=FtmSiteUnwatched', 'site=hq', 'response=page'], receiver: 'page' },
    { labels: ['alertname=FtmActivationAtRisk', 'site=hq', 'response=ticket'], receiver: 'ticket' },
    { labels: ['alertname=FtmWatcherDown', 'site=hq', 'response=ticket'], receiver: 'ticket' },
    // Alerts that ftm-watch pushes.
    { labels: ['alertname=FtmActivationBroken', 'severity=critical', 'cause=tls-intercepted'], receiver: 'page' },
    { labels: ['alertname=FtmActivationAtRisk', 'severity=warning', 'cause=token-count-mismatch'], receiver: 'ticket' },
  ])('$labels.0 to the $receiver', async ({ labels, receiver }) => {
    const { stdout } = await run('amtool', ['config', 'routes', 'test', `--config.file=${ALERTMANAGER}`, ...labels]);
    expect(stdout.trim()).toBe(receiver);
  });

  it.each([
    { labels: ['response=page', 'alertname=FtmSiteUnwatched'], receiver: 'teams,pagerduty' },
    { labels: ['alertname=FtmVendorOutage', 'response=page'], receiver: 'teams,pagerduty' },
    // Alerts that ftm-watch pushes.
    { labels: ['severity=critical', 'subject=fac-1'], receiver: 'teams,pagerduty' },
    { labels: ['severity=warning', 'subject=fac-1'], receiver: 'teams,slack' },
    { labels: ['response=ticket', 'severity=warning'], receiver: 'teams,slack' },
  ])('the example for PagerDuty, Slack and Teams, which sends $labels to $receiver', async ({ labels, receiver }) => {
    const file = 'deploy/alertmanager/examples/pagerduty-slack-teams.yml';
    expect((await run('amtool', ['check-config', file])).stdout).toContain(' - 3 receivers');
    const { stdout } = await run('amtool', ['config', 'routes', 'test', `--config.file=${file}`, ...labels]);
    expect(stdout.trim()).toBe(receiver);
  });

  it('the example for Opsgenie', async () => {
    const { stdout } = await run('amtool', ['check-config', 'deploy/alertmanager/examples/opsgenie.yml']);
    expect(stdout).toContain(' - 1 receivers');
  });

  const FIRING = {
    status: 'firing',
    labels: { site: 'hq', severity: 'critical' },
    annotations: {
      headline: 'TLS is intercepted by <FortiGate>',
      summary: 'Re-signed by <FortiGate>',
      evidence: 'issuer FGT',
      remedy: '1. Exempt it',
    },
  };
  const OVER = {
    status: 'resolved',
    labels: { site: 'hq', severity: 'critical', subject: 'server:443' },
    annotations: { headline: 'TLS is intercepted by <FortiGate>', summary: 'Re-signed', description: 'It fails' },
  };
  const VENDOR = {
    status: 'resolved',
    labels: { severity: 'critical' },
    annotations: { summary: 'The licence server is lost at 2 sites', runbook: 'docs/runbooks/alerts.md' },
  };
  const DETAILS = ['Re-signed by <FortiGate>\n', 'Evidence\nissuer FGT\n', 'What to do\n1. Exempt it\n'];
  const PLAIN = { status: 'firing', labels: { site: 'hq', alertname: 'FtmTest' }, annotations: {} };
  const LINE = 'Resolved at 2026-11-24 13:05 UTC (began at 2026-11-24 13:00 UTC): ';

  it.each([
    {
      what: 'a pushed alert',
      alerts: [FIRING],
      subject: 'CRITICAL FTM hq: TLS is intercepted by <FortiGate>',
      text: DETAILS,
    },
    {
      what: 'several alerts, of which one is over',
      alerts: [VENDOR, FIRING, { ...FIRING, labels: { severity: 'warning' } }, FIRING],
      subject: 'CRITICAL FTM hq: TLS is intercepted by <FortiGate> (and 2 more)',
      text: [...DETAILS, `\n\n${LINE}The licence server is lost at 2 sites\n`],
    },
    {
      what: 'alerts that are over',
      alerts: [OVER, VENDOR],
      subject: 'RESOLVED FTM hq: TLS is intercepted by <FortiGate> (and 1 more)',
      text: [`${LINE}TLS is intercepted by <FortiGate>, server:443\n${LINE}The licence server is lost at 2 sites\n`],
    },
    {
      what: 'an alert of all sites that is over',
      alerts: [VENDOR],
      site: null,
      subject: 'RESOLVED FTM all sites: The licence server is lost at 2 sites',
      text: [`${LINE}The licence server is lost at 2 sites\n`],
    },
    { what: 'an alert without texts', alerts: [PLAIN], subject: 'FIRING FTM hq: FtmTest', text: [] },
  ])('the templates for $what', async ({ alerts, site = 'hq', subject, text }) => {
    const times = { startsAt: '2026-11-24T13:00:00Z', endsAt: '2026-11-24T13:05:00Z' };
    const data = JSON.stringify({
      receiver: 'page',
      status: alerts.some(({ status }) => status === 'firing') ? 'firing' : 'resolved',
      alerts: alerts.map((alert) => ({ ...alert, ...times })),
      groupLabels: {},
      commonLabels: site === null ? {} : { site },
      commonAnnotations: {},
    });
    const render = (name: string, type: 'text' | 'html'): Promise<string> =>
      renderTemplate(data, `{{ template "ftm-watch.${name}" . }}`, type);
    expect((await render('subject', 'text')).trim()).toBe(subject);
    expect((await render('slack.subject', 'text')).replaceAll('&lt;', '<').replaceAll('&gt;', '>').trim()).toBe(
      subject,
    );
    expect((await render('teams.subject', 'text')).replaceAll('\\', '').trim()).toBe(subject);
    const over = alerts.filter(({ status }) => status === 'resolved').length;
    const plain = await render('text', 'text');
    for (const part of text) expect(plain).toContain(part);
    expect(plain.match(/Resolved|It fails/gu) ?? []).toHaveLength(over);
    const html = await render('html', 'html');
    expect(html).toContain('</html>');
    expect(html).not.toContain('<FortiGate>');
    expect(html.match(/Resolved at/gu) ?? []).toHaveLength(over);
  });
});
