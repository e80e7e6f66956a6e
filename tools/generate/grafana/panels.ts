import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  ReduceDataOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardLinkBuilder,
  DashboardLinkType,
  MappingType,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { ThresholdsConfigBuilder as Thresholds, ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Tone } from '../../../src/document/document.ts';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as SeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** The Prometheus selected at the top of the dashboard. */
export const DATA_SOURCE: DataSourceRef = { type: 'prometheus', uid: '${datasource}' };

const GRID_WIDTH = 24;

/** Properties of every panel. */
export interface PanelText {
  readonly title: string;
  /** One sentence with the conclusion that a reader can draw. */
  readonly description: string;
  /** PromQL. */
  readonly expr: string;
  /** Series name with {{labels}}. */
  readonly legend: string;
  /** Targets of a click on a series. If there are several, Grafana shows a menu. */
  readonly links?: readonly PanelLink[];
}

export interface PanelLink {
  readonly title: string;
  readonly url: string;
}

/** Current values. @param meaning text for each value; by default, numbers are shown */
export function statPanel(
  text: PanelText,
  { width, meaning, thresholds = neutral(), missing = 'none' }: StatLook,
): StatBuilder {
  return new StatBuilder()
    .title(text.title)
    .description(text.description)
    .dataLinks(linksOf(text))
    .datasource(DATA_SOURCE)
    .withTarget(query(text).instant())
    .height(5)
    .span(width)
    .colorMode(BigValueColorMode.Background)
    .graphMode(BigValueGraphMode.None)
    .textMode(BigValueTextMode.ValueAndName)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .mappings(meaning === undefined ? [] : [meaning])
    .thresholds(thresholds)
    .noValue(missing);
}

interface StatLook {
  readonly width: number;
  readonly meaning?: ValueMapping;
  readonly thresholds?: Thresholds;
  /** Shown if there is no value. */
  readonly missing?: string;
}

/** States over time. */
export function timelinePanel(text: PanelText, meaning: ValueMapping, height: number): TimelineBuilder {
  return new TimelineBuilder()
    .title(text.title)
    .description(text.description)
    .dataLinks(linksOf(text))
    .datasource(DATA_SOURCE)
    .withTarget(query(text).range())
    .height(height)
    .span(GRID_WIDTH)
    .mappings([meaning]);
}

/** Numbers over time. @param unit a Grafana unit */
export function seriesPanel(text: PanelText, unit: string): SeriesBuilder {
  return new SeriesBuilder()
    .title(text.title)
    .description(text.description)
    .dataLinks(linksOf(text))
    .datasource(DATA_SOURCE)
    .withTarget(query(text).range())
    .height(8)
    .span(GRID_WIDTH / 2)
    .unit(unit)
    .min(0);
}

function linksOf({ links = [] }: PanelText): DashboardLinkBuilder[] {
  return links.map(({ title, url }) => new DashboardLinkBuilder(title).type(DashboardLinkType.Link).url(url));
}

function query({ expr, legend }: PanelText): DataqueryBuilder {
  return new DataqueryBuilder().refId('A').datasource(DATA_SOURCE).expr(expr).legendFormat(legend);
}

export const ACTIVE: ValueMapping = {
  type: MappingType.ValueToText,
  options: { 0: { text: 'no', color: 'green', index: 0 }, 1: { text: 'yes', color: 'red', index: 1 } },
};

/** That ftm-watch is running says nothing about its results, so it is not green. */
export const UP: ValueMapping = {
  type: MappingType.ValueToText,
  options: { 0: { text: 'down', color: 'red', index: 0 }, 1: { text: 'up', color: 'blue', index: 1 } },
};

/** The colors of the status page, as Grafana has them. */
export const TONE_COLORS: Readonly<Record<Tone, string>> = {
  good: 'green',
  warn: 'orange',
  bad: 'red',
  info: 'blue',
  wait: 'blue',
  unsure: 'purple',
  none: 'text',
};

/** Maps each of several states to its text and color. A state's number is its index. */
export function statesShown(states: readonly string[], colors: Readonly<Record<string, string>>): ValueMapping {
  const options: Record<string, { text: string; color: string; index: number }> = {};
  for (const [index, text] of states.entries()) options[index] = { text, color: colors[text] ?? 'orange', index };
  return { type: MappingType.ValueToText, options };
}

/**
 * Returns a query that converts a set of states, of which one is 1, to one number. For several agents, the most
 * severe state counts.
 * @param series with the label `LABEL="STATE"` left out
 * @param states the least severe first
 */
export function stateNumber(
  series: (selector: string) => string,
  { by, label, states }: { readonly by: string; readonly label: string; readonly states: readonly string[] },
): string {
  const each = states.map((state, index) => `(${series(`${label}="${state}"`)} == 1) * ${String(index)}`);
  return `max by (${by}) (${each.join(' or ')})`;
}

/** Thresholds for a number that is neither good nor bad. */
export function neutral(): Thresholds {
  return steps([{ value: null, color: 'blue' }]);
}

/** Red, and neutral from a value on. */
export function blueFrom(value: number): Thresholds {
  return steps([
    { value: null, color: 'red' },
    { value, color: 'blue' },
  ]);
}

/** For a panel whose values have words and colors of their own. */
export function whenUnknown(): Thresholds {
  return steps([{ value: null, color: 'purple' }]);
}

/** Neutral, and red from a value on. */
export function redFrom(value: number): Thresholds {
  return steps([
    { value: null, color: 'blue' },
    { value, color: 'red' },
  ]);
}

/** Red, and green from a value on. */
export function greenFrom(value: number): Thresholds {
  return steps([
    { value: null, color: 'red' },
    { value, color: 'green' },
  ]);
}

function steps(list: { value: number | null; color: string }[]): Thresholds {
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(list);
}
