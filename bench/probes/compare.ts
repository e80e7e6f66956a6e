import { cpuMilliseconds } from '../process-figures.ts';
import { spreadOf } from '../statistics.ts';
import type { Spread } from '../statistics.ts';
import type { Blackbox } from './blackbox.ts';
import { handshakesOf } from './kinds.ts';
import type { FloorKind, ProbeKind } from './kinds.ts';
import type { Prober } from './prober.ts';
import type { Site } from './site.ts';

/** Duration of the measurement. */
export interface Effort {
  /** Pairs of measurements, after one warm-up pair. */
  readonly rounds: number;
  readonly milliseconds: number;
}

export interface Cost {
  /** CPU per probe. */
  readonly cpuMs: Spread;
  readonly aSecond: Spread;
}

export interface Comparison {
  readonly kind: ProbeKind;
  readonly concurrency: number;
  readonly own: Cost;
  readonly blackbox: Cost;
  /** Our CPU divided by blackbox_exporter's, pair by pair. */
  readonly ratio: Spread;
}

export interface Probers {
  readonly site: Site;
  readonly own: Prober<ProbeKind | FloorKind>;
  readonly blackbox: Blackbox;
}

interface Sample {
  readonly cpuMs: number;
  readonly aSecond: number;
}

/**
 * Compares one kind of probe at one concurrency, ours and blackbox_exporter's in turn, so that load on the machine
 * affects both.
 */
export async function compare(
  kind: ProbeKind,
  concurrency: number,
  probers: Probers,
  effort: Effort,
): Promise<Comparison> {
  const load = { kind, concurrency, milliseconds: effort.milliseconds };
  const pairs: (readonly [Sample, Sample])[] = [];
  for (let round = 0; round <= effort.rounds; round += 1) {
    const own = await measure(probers.own.pid, () =>
      withFullHandshakes(kind, probers.site, () => probers.own.load(load)),
    );
    const other = await measure(probers.blackbox.pid, () =>
      withFullHandshakes(kind, probers.site, () => probers.blackbox.load(load)),
    );
    if (round > 0) pairs.push([own, other]);
  }
  return {
    kind,
    concurrency,
    own: costOf(pairs.map(([own]) => own)),
    blackbox: costOf(pairs.map(([, other]) => other)),
    ratio: spreadOf(pairs.map(([own, other]) => own.cpuMs / other.cpuMs)),
  };
}

/** Measures the cost of Node itself, in our prober's process. */
export async function measureFloor(
  kind: FloorKind,
  concurrency: number,
  { site, own }: Probers,
  effort: Effort,
): Promise<Cost> {
  const samples: Sample[] = [];
  for (let round = 0; round <= effort.rounds; round += 1) {
    const sample = await measure(own.pid, () =>
      withFullHandshakes(kind, site, () => own.load({ kind, concurrency, milliseconds: effort.milliseconds })),
    );
    if (round > 0) samples.push(sample);
  }
  return costOf(samples);
}

/** Measures the cost of HTTP in blackbox_exporter, without a probe. */
export async function measureIdleRequest(concurrency: number, { blackbox }: Probers, effort: Effort): Promise<Cost> {
  const samples: Sample[] = [];
  for (let round = 0; round <= effort.rounds; round += 1) {
    const sample = await measure(blackbox.pid, () => blackbox.idleRequests(concurrency, effort.milliseconds));
    if (round > 0) samples.push(sample);
  }
  return costOf(samples);
}

/** @throws {Error} unless the servers counted exactly the expected full handshakes and no resumed ones */
async function withFullHandshakes(
  kind: ProbeKind | FloorKind,
  site: Site,
  load: () => Promise<number>,
): Promise<number> {
  const before = await site.handshakes();
  const probes = await load();
  const after = await site.handshakes();
  const [full, resumed] = [after.full - before.full, after.resumed - before.resumed];
  if (resumed > 0 || full !== probes * handshakesOf(kind))
    throw new Error(
      `Cannot compare ${kind}: expected ${String(probes * handshakesOf(kind))} full handshakes, the servers saw ` +
        `${String(full)} and ${String(resumed)} resumed ones`,
    );
  return probes;
}

async function measure(pid: number, load: () => Promise<number>): Promise<Sample> {
  const cpu = cpuMilliseconds(pid);
  const start = performance.now();
  const probes = await load();
  const seconds = (performance.now() - start) / 1000;
  return { cpuMs: (cpuMilliseconds(pid) - cpu) / probes, aSecond: probes / seconds };
}

function costOf(samples: readonly Sample[]): Cost {
  return {
    cpuMs: spreadOf(samples.map(({ cpuMs }) => cpuMs)),
    aSecond: spreadOf(samples.map(({ aSecond }) => aSecond)),
  };
}
