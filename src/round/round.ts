import { addressesToDial, burstOf } from '../checks/intermittent/sampling.ts';
import type { Config } from '../config/config.ts';
import type { MailServer } from '../config/schema/watched.ts';
import { authority, type HostPort } from '../core/addresses.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import type { MailObservation } from '../core/observation.ts';
import { pathProbes, type PathFacts, type ProbeTarget, type RoundObservations } from '../core/round.ts';
import { unlessAborted } from '../network/context.ts';
import { createStallMonitor } from '../system/stall-monitor.ts';
import { startApart } from '../system/start-apart.ts';
import { deadline } from '../system/clock.ts';
import { askOnce } from './dns.ts';
import { type Instruments, type RoundTools, roundTools } from './instruments.ts';
import { type MailPace, observeWithMemory } from './mail.ts';
import { observeNtp } from '../network/ntp/sntp.ts';
import { observeOlderTls, observeClosely, observeOtherNames, observeReferences } from './second-looks.ts';
import {
  controlTarget,
  licenseTarget,
  observeAnyAddress,
  observeBurst,
  observeKnownAddresses,
  observePath,
  serviceTarget,
} from './path.ts';

/** Shown to users who are waiting for the result. */
export interface RoundProgress {
  readonly subject: string;
  readonly kind: 'started' | 'finished';
}

export interface RoundParameters {
  /** This is a promise, because FortiAuthenticator may have to be queried for its servers first. */
  readonly mailServers: Promise<readonly MailServer[]>;
  /** If omitted, the round waits until all mail servers have responded. */
  readonly mailPace?: MailPace;
  readonly codeLife: Promise<Millis | null>;
  /** True if FortiAuthenticator's log reports failed connections. */
  readonly isComplained: boolean;
  /** Time of the last error in FortiAuthenticator's log that a network fault can cause. */
  readonly complainedAt: EpochMs | null;
  /** The time after which the result is no longer needed. If omitted, there is no limit. */
  readonly timeLeft?: Millis;
  readonly onProgress: (progress: RoundProgress) => void;
}

/**
 * A round in which nothing responds takes 3 s for name resolution, and 3 + 4 + 4 s for connection, handshake and
 * response.
 */
export const ROUND_LIMIT: Millis = 14_500;

/** A check takes about 3 ms of CPU time, so a large round uses less than half of a CPU core. */
const LOOK_GAP: Millis = 8;

/** The limit depends on the number of services, because checks do not all start at the same time. */
export function roundLimit({ services }: Pick<Config, 'services'>): Millis {
  return services.length * LOOK_GAP + ROUND_LIMIT;
}

/** Returns all targets of a round, so that their time series exist from the start. */
export function probeTargets(config: Config): readonly ProbeTarget[] {
  return [
    ...config.resolvers.map(({ label }) => ({ probe: 'dns', target: label })),
    ...[config.licenseServer, ...config.services, ...config.controlHosts].flatMap(pathProbes),
    ...config.mail.map((server) => ({ probe: 'mail', target: authority(server) })),
    ...config.clock.ntp.map((server) => ({ probe: 'ntp', target: authority(server) })),
  ];
}

/** Never rejects, because failures are part of the observations. Checks that did not finish in time are `aborted`. */
export async function observeRound(
  instruments: Instruments,
  wishes: RoundParameters,
  signal: AbortSignal,
): Promise<RoundObservations> {
  const { config, clock } = instruments;
  const startedAt = clock.now();
  const started = clock.elapsed();
  using stall = createStallMonitor(clock);
  using limit = deadline(clock, roundLimit(config), signal);
  const single = roundTools(instruments, limit.signal);
  const tools: RoundTools = { ...single, askName: askOnce(single.askName) };

  async function now<R>(host: HostPort, observe: () => Promise<R>): Promise<R> {
    const subject = authority(host);
    wishes.onProgress({ subject, kind: 'started' });
    try {
      return await observe();
    } finally {
      wishes.onProgress({ subject, kind: 'finished' });
    }
  }
  /** Starts the checks one after another. Returns the results in the order of `hosts`. */
  function each<T extends HostPort, R>(hosts: readonly T[], observe: (host: T) => Promise<R>): Promise<readonly R[]> {
    return startApart(hosts, { ...tools.ctx, gap: LOOK_GAP }, (host) => now(host, () => observe(host)));
  }
  async function observeMail(): Promise<readonly MailObservation[]> {
    return each(await mailServersIn(wishes, limit.signal), (server) => observeWithMemory(server, tools, wishes));
  }

  const target = licenseTarget(config);
  const [straight, burst, services, controls, mail, ntp] = await Promise.all([
    now(config.licenseServer, () => observeLicenseServer(tools)),
    burstIn(tools, wishes),
    each(config.services, (service) => observePath(serviceTarget(service, config), tools)),
    each(config.controlHosts, (host) => observeAnyAddress(controlTarget(host, config), tools)),
    observeMail(),
    each(config.clock.ntp, (server) => observeNtp(server, tools.system, tools.ctx)),
  ]);

  const { licenseServer } = straight;
  const seen = { path: licenseServer, controls };
  using rest = deadline(clock, restOf(wishes, clock.elapsed() - started), limit.signal);
  const second: RoundTools = { ...tools, ctx: { ...tools.ctx, signal: rest.signal } };
  const [references, older, closer, otherNames] = await Promise.all([
    observeReferences(target, seen, second),
    observeOlderTls(target, seen, second, wishes.isComplained),
    observeClosely(target, seen, second),
    observeOtherNames(target, seen, second),
  ]);

  const looked = {
    ...licenseServer,
    references: [...references, ...older],
    ...(closer === null ? {} : { closer }),
  };
  return {
    startedAt,
    clockBase: startedAt - started,
    durationMs: clock.elapsed() - started,
    stalledMs: stall.longest(),
    path: { ...straight, licenseServer: looked, burst, services, otherNames },
    controls,
    mail,
    ntp,
  };
}

/** Later observations end before the time limit does, because a round that it ends is discarded, with its burst. */
function restOf({ timeLeft = LONGEST_REST }: RoundParameters, elapsed: Millis): Millis {
  return Math.max(0, Math.min(LONGEST_REST, timeLeft - elapsed - BEFORE_LIMIT));
}

const LONGEST_REST: Millis = 60_000;
const BEFORE_LIMIT: Millis = 300;

async function observeLicenseServer(tools: RoundTools): Promise<Pick<PathFacts, 'licenseServer' | 'knownAddresses'>> {
  const target = licenseTarget(tools.config);
  const sampling = tools.memory.sampling.current();
  const licenseServer = await observePath(target, tools, (answers) =>
    addressesToDial(sampling, answers, tools.clock.now()),
  );
  const isDialled = licenseServer.endpoints.length > 0;
  return { licenseServer, knownAddresses: isDialled ? [] : await observeKnownAddresses(target, tools) };
}

/** Time reserved for the steps after a burst of connections, and the minimum time for a useful burst. */
const AFTER_BURST: Millis = 1_000;
const LEAST_BURST: Millis = 2_500;

async function burstIn(tools: RoundTools, { complainedAt, timeLeft }: RoundParameters): Promise<PathFacts['burst']> {
  const longest = (timeLeft ?? Number.POSITIVE_INFINITY) - AFTER_BURST;
  if (longest < LEAST_BURST) return [];
  const addresses = burstOf(tools.memory.sampling.current(), tools.clock.now(), complainedAt);
  return observeBurst(licenseTarget(tools.config), addresses, tools, longest);
}

/** Stops waiting when the round is aborted, because a slow appliance must not delay the round. */
function mailServersIn({ mailServers }: RoundParameters, signal: AbortSignal): Promise<readonly MailServer[]> {
  return unlessAborted(mailServers, signal).catch((error: unknown) => {
    if (signal.aborted) return [];
    throw error;
  });
}
