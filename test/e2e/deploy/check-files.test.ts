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

  it.each([
    {
      what: 'a pushed alert',
      data: {
        status: 'firing',
        commonLabels: { site: 'hq' },
        commonAnnotations: { headline: 'FortiToken Mobile activation is broken: TLS is intercepted by <FortiGate>' },
        annotations: { summary: 'Re-signed by <FortiGate>', evidence: 'issuer FGT', remedy: '1. Exempt it' },
      },
      subject: '[hq] FortiToken Mobile activation is broken: TLS is intercepted by <FortiGate>',
      text: ['Re-signed by <FortiGate>\n', 'Evidence\nissuer FGT\n', 'What to do\n1. Exempt it\n'],
    },
    {
      what: 'an alert of Prometheus that is over',
      data: {
        status: 'resolved',
        commonLabels: {},
        commonAnnotations: { summary: 'The licence server is lost at 2 sites at once' },
        annotations: {
          summary: 'The licence server is lost at 2 sites at once',
          runbook: 'docs/runbooks/alerts.md#ftmvendoroutage',
        },
      },
      subject: '[all sites] Resolved: The licence server is lost at 2 sites at once',
      text: ['Resolved at 2026-11-24 13:05 UTC: The licence server is lost'],
    },
  ])('the template of a mail for $what', async ({ data, subject, text }) => {
    const { status, commonLabels, commonAnnotations, annotations } = data;
    const times = { startsAt: '2026-11-24T13:00:00Z', endsAt: '2026-11-24T13:05:00Z' };
    const alerts = [{ status, labels: { ...commonLabels, severity: 'critical' }, annotations, ...times }];
    const file = JSON.stringify({
      receiver: 'page',
      status,
      alerts,
      groupLabels: {},
      commonLabels,
      commonAnnotations,
    });
    const render = (name: string, type: 'text' | 'html'): Promise<string> =>
      renderTemplate(file, `{{ template "ftm-watch.${name}" . }}`, type);
    expect((await render('subject', 'text')).trim()).toBe(subject);
    const plain = await render('text', 'text');
    for (const part of text) expect(plain).toContain(part);
    const html = await render('html', 'html');
    expect(html).toContain('</html>');
    expect(html).not.toContain('<FortiGate>');
  });
});
