import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ruleFiles, ruleTestFiles } from '../../support/monitoring/alert-rules.ts';
import { describeWhere } from '../../support/process/privilege.ts';

const MIXIN = 'deploy/prometheus/mixin';
const DASHBOARDS = `${MIXIN}/dashboards`;

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly expr: string; readonly annotations?: Readonly<Record<string, string>> }[];
  }[];
}

type Dashboards = Readonly<Record<string, { readonly links: readonly { readonly url: string }[] }>>;

describeWhere([{ program: 'jsonnet' }, { program: 'promtool' }], 'the mixin, vendored into an empty project,', () => {
  const project = mkdtempSync(join(tmpdir(), 'ftm-watch-mixin-'));

  /** Returns the result of "jsonnet -J vendor" for the mixin, with `more` appended. */
  function compile(more = ''): Rules & Dashboards {
    const program = `(import 'ftm-watch/mixin.libsonnet')${more}`;
    const { stdout, stderr } = spawnSync('jsonnet', ['-J', 'vendor', '-e', program], {
      cwd: project,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    return JSON.parse(stdout) as Rules & Dashboards;
  }

  beforeAll(() => {
    mkdirSync(join(project, 'vendor'));
    cpSync(MIXIN, join(project, 'vendor/ftm-watch'), { recursive: true });
  });

  afterAll(() => rmSync(project, { recursive: true }));

  it('has the rules and the dashboards that are shipped as files', () => {
    const [alerts, recording] = ruleFiles().map((path) => parse(readFileSync(path, 'utf8'), trimmed) as unknown);
    expect(compile('.prometheusAlerts')).toEqual(alerts);
    expect(compile('.prometheusRules')).toEqual(recording);
    const shipped = readdirSync(DASHBOARDS).map((name) => [
      name,
      JSON.parse(readFileSync(join(DASHBOARDS, name), 'utf8')) as unknown,
    ]);
    expect(shipped).toHaveLength(4);
    expect(Object.entries(compile('.grafanaDashboards'))).toEqual(shipped);
  });

  it('needs nothing that jsonnet-bundler would have to fetch', () => {
    const file = JSON.parse(readFileSync(join(MIXIN, 'jsonnetfile.json'), 'utf8')) as object;
    expect(file).toEqual({ version: 1, dependencies: [], legacyImports: true });
  });

  it.each(ruleTestFiles())('passes the rules’ tests in %s, rendered by the commands of its README', (file) => {
    const folder = join(project, 'vendor/ftm-watch');
    mkdirSync(join(project, 'rules'), { recursive: true });
    for (const [program, name] of [
      ['alerts.jsonnet', 'ftm-watch-alerts.yml'],
      ['rules.jsonnet', 'ftm-watch-recording.yml'],
    ] as const) {
      const { stdout, stderr } = spawnSync('jsonnet', ['-S', program], { cwd: folder, encoding: 'utf8' });
      expect(stderr).toBe('');
      writeFileSync(join(project, 'rules', name), stdout);
    }
    const test = join(project, 'tests', basename(file));
    cpSync(file, test, { recursive: true });
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', test], { encoding: 'utf8' });
    expect(`${stdout}${stderr}`).toContain('SUCCESS');
    expect(status).toBe(0);
    const checked = spawnSync('promtool', ['check', 'rules', '--lint-fatal', ...ruleFilesIn(join(project, 'rules'))]);
    expect(checked.status).toBe(0);
  });

  it('takes other thresholds', () => {
    const changed = JSON.stringify(
      compile(' { _config+:: { certificateDays: 33, vendorFor: "7m" } }.prometheusAlerts'),
    );
    expect(changed).toContain('< 33 * 86400');
    expect(changed).toContain('"for":"7m"');
  });

  it('asks for the series of another job everywhere', () => {
    const other = ` { _config+:: { ftmWatchSelector: 'job=~"monitoring/ftm-.+"' } }`;
    for (const field of ['prometheusAlerts', 'prometheusRules', 'grafanaDashboards']) {
      const text = JSON.stringify(compile(`${other}.${field}`));
      expect(text).toContain(String.raw`job=~\"monitoring/ftm-.+\"`);
      expect(text).not.toContain(String.raw`job=\"ftm-watch\"`);
    }
  });

  it('has links to runbooks where it is told where they are, and else none', () => {
    const told = ` { _config+:: { runbookURLPattern: 'https://ftm.test/runbooks/%s' } }`;
    const urlsIn = ({ groups }: Rules): readonly (string | undefined)[] =>
      groups.flatMap(({ rules }) => rules.map(({ annotations }) => annotations?.['runbook_url']));
    const urls = urlsIn(compile(`${told}.prometheusAlerts`));
    expect(urls).not.toContain(undefined);
    expect(urls).toEqual(
      expect.arrayContaining([
        'https://ftm.test/runbooks/{{ $labels.cause }}',
        'https://ftm.test/runbooks/alerts#ftmwatcherdown',
      ]),
    );
    expect(new Set(urlsIn(compile('.prometheusAlerts')))).toEqual(new Set([undefined]));
    expect(compile(`${told}.grafanaDashboards`)['cause.json']?.links.map(({ url }) => url)).toContain(
      'https://ftm.test/runbooks/$cause',
    );
    expect(JSON.stringify(compile('.grafanaDashboards'))).not.toContain('ftm.test');
  });
});

/** Removes the spaces around expressions, which the mixin does not have. */
function trimmed(_key: unknown, value: unknown): unknown {
  return typeof value === 'string' ? value.trim() : value;
}

function ruleFilesIn(folder: string): readonly string[] {
  return readdirSync(folder).map((name) => join(folder, name));
}
