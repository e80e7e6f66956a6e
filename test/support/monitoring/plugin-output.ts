/** The output of a monitoring plugin, parsed as by Nagios and Icinga. */
export interface PluginOutput {
  readonly status: 'OK' | 'WARNING' | 'CRITICAL' | 'UNKNOWN';
  readonly text: string;
  readonly data: ReadonlyMap<string, Performance>;
}

export interface Performance {
  readonly value: number;
  /** Empty for a plain number. */
  readonly unit: string;
  readonly warn: string;
  readonly crit: string;
  readonly min: string;
  readonly max: string;
}

const NUMBER = String.raw`-?\d+(?:\.\d+)?`;
/** `10`, `10:`, `~:10`, `10:20`, `@10:20` (guidelines, "Threshold and Ranges"). */
const RANGE = String.raw`@?(?:(?:~|${NUMBER}):(?:${NUMBER})?|${NUMBER})`;
/** `'label'=value[UOM];[warn];[crit];[min];[max]` */
const DATUM = new RegExp(
  String.raw`^(?<label>'(?:[^'=]|'')+'|[^'=\s]+)=(?<value>${NUMBER})(?<unit>us|ms|s|%|[KMGT]?B|c)?` +
    String.raw`(?:;(?<warn>${RANGE})?)?(?:;(?<crit>${RANGE})?)?(?:;(?<min>${NUMBER})?)?(?:;(?<max>${NUMBER})?)?$`,
  'u',
);
const LINE =
  /^(?<service>[A-Z]+) (?<status>OK|WARNING|CRITICAL|UNKNOWN): (?<text>[^|\p{Cc}]+?)(?: \| (?<data>[^|\p{Cc}]+))?\n$/u;

/**
 * Parses the output by the guidelines of the monitoring plugins: one line "SERVICE STATUS: text", with `|` only
 * before the performance data. https://www.monitoring-plugins.org/doc/guidelines.html
 * @throws {Error} if it violates them
 */
export function readPluginOutput(written: string): PluginOutput {
  const { status, text = '', data } = LINE.exec(written)?.groups ?? {};
  if (status !== 'OK' && status !== 'WARNING' && status !== 'CRITICAL' && status !== 'UNKNOWN')
    throw new Error(`No line of a plugin: ${JSON.stringify(written)}`);
  const read = (data ?? '').split(' ').filter((datum) => datum !== '');
  return { status, text, data: new Map(read.map(readDatum)) };
}

function readDatum(datum: string): readonly [label: string, data: Performance] {
  const groups = DATUM.exec(datum)?.groups;
  if (groups === undefined) throw new Error(`No performance data: ${JSON.stringify(datum)}`);
  const { label = '', value = '', unit = '', warn = '', crit = '', min = '', max = '' } = groups;
  return [label.replaceAll("'", ''), { value: Number(value), unit, warn, crit, min, max }];
}
