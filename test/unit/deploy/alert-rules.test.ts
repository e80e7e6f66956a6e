import { CAUSE_IDS } from '../../../src/checks/registry.ts';
import { existsSync, readFileSync } from 'node:fs';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { defineMetrics } from '../../../src/metrics/definitions.ts';
import { parseThresholds, renderRules } from '../../../tools/generate/prometheus/rules.ts';
import { alertExpectations, shippedRules } from '../../support/monitoring/alert-rules.ts';

const rules = shippedRules();
const alerts = rules.filter(({ alert }) => alert !== undefined);

function headingsOf(path: string): readonly string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('#'))
    .map((line) => line.replace(/^#+\s*/u, '').toLowerCase());
}

describe('the rules for Prometheus', () => {
  it.each(alerts.map(({ alert = '' }) => alert))('have a test that %s fires, and one that it does not', (name) => {
    const outcomes = alertExpectations()
      .filter(({ alertname }) => alertname === name)
      .map(({ exp_alerts: expected }) => expected.length > 0);
    expect(new Set(outcomes)).toEqual(new Set([true, false]));
  });

  it('ask for metrics that exist', () => {
    const registry = new Registry();
    defineMetrics(registry);
    const known = new Set(registry.getMetricsAsArray().map(({ name }) => name));
    const recorded = new Set(rules.map(({ record }) => record));
    const asked = rules.flatMap(({ expr }) =>
      [...expr.matchAll(/\b(?:[a-z_]+:)?ftm_[a-z_]+(?::[a-z0-9]+)?/gu)].map(([name]) => name),
    );
    expect(asked.length).toBeGreaterThan(20);
    expect(asked.filter((name) => !known.has(name) && !recorded.has(name))).toEqual([]);
  });

  it.each(alerts.map(({ alert = '', labels = {}, annotations = {} }) => ({ alert, labels, annotations })))(
    'say of $alert whether it may wake somebody, and where its runbook is',
    ({ alert, labels, annotations }) => {
      expect(labels['response']).toMatch(/^(?:page|ticket)$/u);
      expect(annotations['runbook']).toMatch(
        annotations['runbook']?.includes('#') === true
          ? new RegExp(`^docs/runbooks/alerts\\.md#${alert.toLowerCase()}$`, 'u')
          : /^docs\/runbooks\/\{\{ \$labels\.cause \}\}\.md$/u,
      );
      // The URL of the runbooks is not known here.
      expect(annotations).not.toHaveProperty('runbook_url');
    },
  );

  it('name causes that exist', () => {
    const named = rules.flatMap(({ expr }) =>
      [...expr.matchAll(/cause[=!]~?"([^"]+)"/gu)].flatMap(([, list = '']) => list.split('|')),
    );
    expect(named.length).toBeGreaterThan(4);
    expect(CAUSE_IDS).toEqual(expect.arrayContaining(named));
  });

  it.each(alerts.map(({ alert = '', annotations = {} }) => ({ alert, runbook: annotations['runbook'] ?? '' })))(
    'have a runbook for $alert',
    ({ runbook }) => {
      const causes = runbook.includes('{{ $labels.cause }}') ? CAUSE_IDS : [''];
      const places = causes.map((cause) => runbook.replace('{{ $labels.cause }}', cause).split('#'));
      expect(
        places.filter(
          ([path = '', heading]) => !existsSync(path) || (heading !== undefined && !headingsOf(path).includes(heading)),
        ),
      ).toEqual([]);
    },
  );
});

describe('the thresholds', () => {
  const template = (name: string): string => readFileSync(`deploy/prometheus/mixin/rules/${name}`, 'utf8');
  const thresholds = parseThresholds(readFileSync('tools/generate/prometheus/thresholds.yaml', 'utf8'));

  it('are used, each of them, and all that are used are there', () => {
    const text = ['ftm-watch-alerts.yml', 'ftm-watch-recording.yml'].map(template).join('');
    const used = new Set([...text.matchAll(/%\((\w+)\)s/gu)].map(([, name = '']) => name));
    expect([...used].toSorted()).toEqual([...thresholds.map(({ name }) => name), 'ftmWatchSelector'].toSorted());
    expect(() => renderRules('for: %(nothing)s', thresholds)).toThrow('there is no threshold "nothing"');
  });

  it('have a description each', () => {
    expect(() => parseThresholds('# Days.\na: 1\nb: 2\n')).toThrow('Cannot read the threshold "b"');
    expect(parseThresholds('# Days.\na: 1\n')).toEqual([{ name: 'a', value: 1, description: 'Days.' }]);
  });

  it('are in the rules', () => {
    const rendered = renderRules(
      template('ftm-watch-alerts.yml'),
      thresholds.map((one) => (one.name === 'certificateDays' ? { ...one, value: 33 } : one)),
    );
    expect(rendered).toContain('< 33 * 86400');
    expect(rendered).not.toContain('%(');
  });
});
