import type { Config } from '../config/config.ts';
import { authority, type HostPort } from '../core/addresses.ts';
import type { Millis } from '../core/clock.ts';
import type { ProbeContext } from '../network/context.ts';
import { createStallMonitor, type StallMonitor } from '../schedule/stall-monitor.ts';
import { startApart } from '../schedule/start-apart.ts';
import { sourcesThatRun, type RoundFactsBySource, type RoundObservations, type RoundTools } from './registry.ts';
import type { RoundLook, RoundSource } from '../connectors/source.ts';
import { askOnce } from './path.ts';
import { deadline } from '../system/clock.ts';

/** What is being looked at, for people who wait. */
export interface RoundProgress {
  readonly subject: string;
  readonly kind: 'started' | 'finished';
}

/** What a round is handed besides what its sources are. */
export interface RoundWatch {
  readonly onProgress: (progress: RoundProgress) => void;
}

/** Of a small round at which nothing answers: 3 s for names, 3 + 4 + 4 s for connection, handshake and answer. */
export const ROUND_LIMIT: Millis = 14_500;

/** A look costs some 3 ms of one core: a large round takes less than half of it. */
const LOOK_GAP: Millis = 8;

/** A round ends by then even when nothing answers: its last look begins later when there are many. */
export function roundLimit({ services }: Config): Millis {
  return services.length * LOOK_GAP + ROUND_LIMIT;
}

/** In the order of the registry. */
export const ROUND_SOURCES: readonly RoundSource<string, object, unknown, RoundTools, Config, RoundFactsBySource>[] =
  sourcesThatRun('round');

/**
 * Lets every source look once, and again where it deserves it. Never rejects: what failed is in the observations, and
 * what the time was too short for is `aborted`.
 */
export async function observeRound(
  config: Config,
  tools: RoundTools & RoundWatch,
  ctx: ProbeContext,
): Promise<RoundObservations> {
  const startedAt = ctx.clock.now();
  const started = ctx.clock.elapsed();
  using stall = createStallMonitor(ctx.clock);
  using limit = deadline(ctx.clock, roundLimit(config), ctx.signal);
  const look = lookOf(tools, stall, { ...ctx, signal: limit.signal });
  const others = await bySource((source) => source.observe(config, look));
  const first: Readonly<Record<string, unknown>> = others;
  const seen = await bySource(async (source) => {
    const own = first[source.id];
    return source.lookAgain === undefined ? own : source.lookAgain(config, look, { own, others });
  });
  const clockBase = startedAt - started;
  return { startedAt, clockBase, durationMs: ctx.clock.elapsed() - started, stalledMs: look.stalledMs(), ...seen };
}

/** The overload says what a loop cannot: whose facts have which type. */
async function bySource(
  factsOf: (source: (typeof ROUND_SOURCES)[number]) => Promise<unknown>,
): Promise<RoundFactsBySource>;
async function bySource(
  factsOf: (source: (typeof ROUND_SOURCES)[number]) => Promise<unknown>,
): Promise<Readonly<Record<string, unknown>>> {
  return Object.fromEntries(
    await Promise.all(ROUND_SOURCES.map(async (source) => [source.id, await factsOf(source)] as const)),
  );
}

function lookOf(
  tools: RoundTools & RoundWatch,
  stall: StallMonitor,
  ctx: ProbeContext,
): RoundTools & RoundLook<object> {
  async function watched<R>(host: HostPort, look: () => Promise<R>): Promise<R> {
    const subject = authority(host);
    tools.onProgress({ subject, kind: 'started' });
    try {
      return await look();
    } finally {
      tools.onProgress({ subject, kind: 'finished' });
    }
  }

  return {
    ...tools,
    askName: askOnce(tools.askName),
    ctx,
    stalledMs: () => stall.longest(),
    now: watched,
    each: (hosts, look) => startApart(hosts, { ...ctx, gap: LOOK_GAP }, (host) => watched(host, () => look(host))),
  };
}
