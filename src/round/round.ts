import { burstOf } from '../checks/intermittent/path-share.ts';
import type { Config } from '../config/config.ts';
import type { MailServer } from '../config/schema/mail.ts';
import { authority, type HostPort } from '../core/addresses.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import type { MailObservation } from '../core/observation.ts';
import { pathProbes, type PathFacts, type ProbeTarget, type RoundObservations } from '../core/round.ts';
import { unlessAborted } from '../network/context.ts';
import { createStallMonitor } from '../schedule/stall-monitor.ts';
import { startApart } from '../schedule/start-apart.ts';
import { deadline } from '../system/clock.ts';
import { askOnce } from './dns.ts';
import { type Instruments, type Look, lookWith } from './instruments.ts';
import { type MailPace, observeWithDeferral } from './mail.ts';
import { observeNtp } from './ntp.ts';
import { observeOlderTls } from './older-tls.ts';
import { hearOpenssl } from './openssl.ts';
import {
  controlTarget,
  licenseTarget,
  observeAnyAddress,
  observeBurst,
  observeKnownAddresses,
  observePath,
  serviceTarget,
} from './path.ts';
import { withRecipientServers } from './recipient-servers.ts';
import { observeClosely, observeNearest, observeOtherNames, observeReferences } from './second-looks.ts';

/** What is being looked at, for people who wait. */
export interface RoundProgress {
  readonly subject: string;
  readonly kind: 'started' | 'finished';
}

/** What belongs to one round alone. */
export interface RoundWishes {
  /** Those of the configuration, else those that FortiAuthenticator names, which may have to be asked for first. */
  readonly mailServers: Promise<readonly MailServer[]>;
  /** Without, a round waits for each mail server until it is finished. */
  readonly mailPace?: MailPace;
  /** How long an activation code lives at the unit where it lives shortest; null: no unit has told. */
  readonly codeLife: Promise<Millis | null>;
  /** FortiAuthenticator's log tells of connections that do not come about. */
  readonly isComplained: boolean;
  /** When FortiAuthenticator last complained of what the path can cause; null: it does not. */
  readonly complainedAt: EpochMs | null;
  /** Until nobody waits for the round any more; without, it takes its time. */
  readonly timeLeft?: Millis;
  readonly onProgress: (progress: RoundProgress) => void;
}

/** Of a small round at which nothing answers: 3 s for names, 3 + 4 + 4 s for connection, handshake and answer. */
export const ROUND_LIMIT: Millis = 14_500;

/** A look costs some 3 ms of one core: a large round takes less than half of it. */
const LOOK_GAP: Millis = 8;

/** A round ends by then even when nothing answers: its last look begins later when there are many. */
export function roundLimit({ services }: Pick<Config, 'services'>): Millis {
  return services.length * LOOK_GAP + ROUND_LIMIT;
}

/** Everything that a round may look at: its series exist from the start. */
export function probeTargets(config: Config): readonly ProbeTarget[] {
  return [
    ...config.resolvers.map(({ label }) => ({ probe: 'dns', target: label })),
    ...[config.licenseServer, ...config.services, ...config.controlHosts].flatMap(pathProbes),
    ...config.mail.map((server) => ({ probe: 'mail', target: authority(server) })),
    ...config.clock.ntp.map((server) => ({ probe: 'ntp', target: authority(server) })),
  ];
}

/**
 * Looks at everything once, and again at what deserves it. Never rejects: what failed is in the observations, and what
 * the time was too short for is `aborted`.
 */
export async function observeRound(
  instruments: Instruments,
  wishes: RoundWishes,
  signal: AbortSignal,
): Promise<RoundObservations> {
  const { config, clock } = instruments;
  const startedAt = clock.now();
  const started = clock.elapsed();
  using stall = createStallMonitor(clock);
  using limit = deadline(clock, roundLimit(config), signal);
  const single = lookWith(instruments, limit.signal);
  const look: Look = { ...single, askName: askOnce(single.askName) };

  async function now<R>(host: HostPort, observe: () => Promise<R>): Promise<R> {
    const subject = authority(host);
    wishes.onProgress({ subject, kind: 'started' });
    try {
      return await observe();
    } finally {
      wishes.onProgress({ subject, kind: 'finished' });
    }
  }
  /** One after the other begins. The results are in the order of `hosts`. */
  function each<T extends HostPort, R>(hosts: readonly T[], observe: (host: T) => Promise<R>): Promise<readonly R[]> {
    return startApart(hosts, { ...look.ctx, gap: LOOK_GAP }, (host) => now(host, () => observe(host)));
  }
  async function observeMail(): Promise<readonly MailObservation[]> {
    return each(await mailServersIn(wishes, limit.signal), (server) => observeWithDeferral(server, look, wishes));
  }

  const target = licenseTarget(config);
  const [straight, burst, services, controls, mail, ntp] = await Promise.all([
    now(config.licenseServer, () => observeLicenseServer(look)),
    burstIn(look, wishes),
    each(config.services, (service) => observePath(serviceTarget(service, config), look)),
    each(config.controlHosts, (host) => observeAnyAddress(controlTarget(host, config), look)),
    observeMail(),
    each(config.clock.ntp, (server) => observeNtp(server, look.system, look.ctx)),
  ]);

  const { licenseServer } = straight;
  const seen = { path: licenseServer, controls };
  const [references, older, closer, controlConnects, otherNames, mailInTheEnd] = await Promise.all([
    observeReferences(target, seen, look),
    observeOlderTls(target, licenseServer, look, wishes.isComplained),
    observeClosely(target, seen, look),
    observeNearest(seen, look),
    observeOtherNames(target, seen, look),
    withRecipientServers(mail, licenseServer, look),
    hearOpenssl(target, seen, look),
  ]);

  const looked = {
    ...licenseServer,
    references: [...references, ...older],
    ...(closer === null ? {} : { closer: closer(stall.longest()) }),
  };
  return {
    startedAt,
    clockBase: startedAt - started,
    durationMs: clock.elapsed() - started,
    stalledMs: stall.longest(),
    path: { ...straight, licenseServer: looked, burst, services, controlConnects, otherNames },
    controls,
    mail: mailInTheEnd,
    ntp,
  };
}

/** Every resolver, every acceptable address, one connection to each. */
async function observeLicenseServer(look: Look): Promise<Pick<PathFacts, 'licenseServer' | 'knownAddresses'>> {
  const target = licenseTarget(look.config);
  const licenseServer = await observePath(target, look);
  const isDialled = licenseServer.endpoints.length > 0;
  return { licenseServer, knownAddresses: isDialled ? [] : await observeKnownAddresses(target, look) };
}

/** For what comes after a burst of connections; and without so much time for itself it would say nothing. */
const AFTER_BURST: Millis = 1_000;
const LEAST_BURST: Millis = 2_500;

/** Further connections to the licence server, where the rounds before leave open how many fail. */
async function burstIn(look: Look, { complainedAt, timeLeft }: RoundWishes): Promise<PathFacts['burst']> {
  const longest = (timeLeft ?? Number.POSITIVE_INFINITY) - AFTER_BURST;
  if (longest < LEAST_BURST) return [];
  const addresses = burstOf(look.memory.share.current(), look.clock.now(), complainedAt);
  return observeBurst(licenseTarget(look.config), addresses, look, longest);
}

/** An appliance that is slow to answer must not hold the round up. */
function mailServersIn({ mailServers }: RoundWishes, signal: AbortSignal): Promise<readonly MailServer[]> {
  return unlessAborted(mailServers, signal).catch((error: unknown) => {
    if (signal.aborted) return [];
    throw error;
  });
}
