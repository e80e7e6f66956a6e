import { CAUSE_IDS } from '../../../src/checks/registry.ts';
import { existsSync, readFileSync } from 'node:fs';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { defineMetrics } from '../../../src/metrics/definitions.ts';
import { alertExpectations, shippedRules } from '../../support/alert-rules.ts';

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
