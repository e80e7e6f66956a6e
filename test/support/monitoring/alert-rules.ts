import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** A rule of a Prometheus rule file: an alert or a recording rule. */
export interface PrometheusRule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An expectation of a file for `promtool test rules`. */
export interface AlertExpectation {
  readonly alertname: string;
  readonly exp_alerts: readonly { readonly exp_labels: Readonly<Record<string, string>> }[];
}

const FOLDER = 'deploy/prometheus';

function filesIn(folder: string): readonly string[] {
  return readdirSync(join(FOLDER, folder)).map((name) => join(FOLDER, folder, name));
}

function yamlOf<Content>(path: string): Content {
  return parse(readFileSync(path, 'utf8')) as Content;
}

export const ruleFiles = (): readonly string[] => filesIn('rules');
export const ruleTestFiles = (): readonly string[] => filesIn('tests');

export function shippedRules(): readonly PrometheusRule[] {
  type Content = { readonly groups: readonly { readonly rules: readonly PrometheusRule[] }[] };
  return ruleFiles().flatMap((path) => yamlOf<Content>(path).groups.flatMap(({ rules }) => rules));
}

export function alertExpectations(): readonly AlertExpectation[] {
  type Content = { readonly tests: readonly { readonly alert_rule_test?: readonly AlertExpectation[] }[] };
  return ruleTestFiles().flatMap((path) =>
    yamlOf<Content>(path).tests.flatMap(({ alert_rule_test = [] }) => alert_rule_test),
  );
}
