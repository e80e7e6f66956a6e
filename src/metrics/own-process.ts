import type { Gauge } from 'prom-client';
import type { ProcessFigures } from '../system/process-figures.ts';
import type { Metrics } from './definitions.ts';

/** Brings the metrics of this process to its figures, at each scrape. */
export function createOwnProcess(metrics: Metrics): (figures: ProcessFigures) => void {
  let cpuSeconds = 0;
  metrics.nodeInfo.set({ version: process.version }, 1);
  return (figures) => {
    metrics.processCpu.inc(figures.cpuSeconds - cpuSeconds);
    cpuSeconds = figures.cpuSeconds;
    metrics.residentMemory.set(figures.residentBytes);
    setOrRemove(metrics.virtualMemory, figures.virtualBytes);
    setOrRemove(metrics.openFiles, figures.openFiles);
    setOrRemove(metrics.mostFiles, figures.mostFiles);
    metrics.heapUsed.set(figures.heapUsedBytes);
    metrics.heapTotal.set(figures.heapTotalBytes);
    metrics.externalMemory.set(figures.externalBytes);
  };
}

function setOrRemove(gauge: Gauge, value: number | null): void {
  if (value === null) gauge.remove();
  else gauge.set(value);
}
