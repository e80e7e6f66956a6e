import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  ReduceDataOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common';
import { MappingType, ThresholdsConfigBuilder, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard';
import type { ThresholdsConfigBuilder as Thresholds, ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as SeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** The Prometheus that is chosen at the top of the dashboard. */
export const DATA_SOURCE: DataSourceRef = { type: 'prometheus', uid: '${datasource}' };

const GRID_WIDTH = 24;

/** What every panel has. */
export interface PanelText {
  readonly title: string;
  /** One sentence: what a reader may conclude. */
  readonly description: string;
  /** PromQL. */
  readonly expr: string;
  /** Name of a series, with {{labels}}. */
  readonly legend: string;
}

/** Numbers as they are now. @param meaning what each value means; without any, numbers are shown */
export function statPanel(text: PanelText, { width, meaning, thresholds = good() }: StatLook): StatBuilder {
  return new StatBuilder()
    .title(text.title)
    .description(text.description)
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
    .noValue('none');
}

interface StatLook {
  readonly width: number;
  readonly meaning?: ValueMapping;
  readonly thresholds?: Thresholds;
}

/** States over time. */
export function timelinePanel(text: PanelText, meaning: ValueMapping, height: number): TimelineBuilder {
  return new TimelineBuilder()
    .title(text.title)
    .description(text.description)
    .datasource(DATA_SOURCE)
    .withTarget(query(text).range())
    .height(height)
    .span(GRID_WIDTH)
    .mappings([meaning]);
}

/** Numbers over time. @param unit of Grafana */
export function seriesPanel(text: PanelText, unit: string): SeriesBuilder {
  return new SeriesBuilder()
    .title(text.title)
    .description(text.description)
    .datasource(DATA_SOURCE)
    .withTarget(query(text).range())
    .height(8)
    .span(GRID_WIDTH / 2)
    .unit(unit)
    .min(0);
}

function query({ expr, legend }: PanelText): DataqueryBuilder {
  return new DataqueryBuilder().refId('A').datasource(DATA_SOURCE).expr(expr).legendFormat(legend);
}

export const READY: ValueMapping = {
  type: MappingType.ValueToText,
  options: { 0: { text: 'not ready', color: 'red', index: 0 }, 1: { text: 'ready', color: 'green', index: 1 } },
};

export const ACTIVE: ValueMapping = {
  type: MappingType.ValueToText,
  options: { 0: { text: 'no', color: 'green', index: 0 }, 1: { text: 'yes', color: 'red', index: 1 } },
};

export const UP: ValueMapping = {
  type: MappingType.ValueToText,
  options: { 0: { text: 'down', color: 'red', index: 0 }, 1: { text: 'up', color: 'green', index: 1 } },
};

/** Good from nothing on. */
function good(): Thresholds {
  return steps([{ value: null, color: 'green' }]);
}

/** Green, and red from a value on. */
export function redFrom(value: number): Thresholds {
  return steps([
    { value: null, color: 'green' },
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
