import { authority } from '../../core/authority.ts';
import { deadline } from '../../system/clock.ts';
import type { Config } from '../../config/config.ts';
import type { HostPort } from '../../config/host-port.ts';
import type { MailServerConfig } from '../../config/schema/mail.ts';
import type { Millis } from '../../core/clock.ts';
import type { EndpointObservation } from '../../core/observation.ts';
import type { PathObservation, RoundObservations } from '../../core/round.ts';
import { observeNtp } from '../../sources/ntp/observe-ntp.ts';
import type { ProbeContext } from '../../network/context.ts';
import type { SystemLookup } from '../../network/system-lookup.ts';
import { startApart } from '../../schedule/start-apart.ts';
import { askOnce } from '../../sources/target/ask-name.ts';
import { hearOpenssl, type OpensslTools } from '../../sources/path/hear-openssl.ts';
import { observeClosely, type CloserTools } from '../../sources/path/observe-closely.ts';
import { observeBurst } from '../../sources/path/observe-burst.ts';
import { observeMailServer, type MailTools } from '../../sources/mail/observe-mail-server.ts';
import { observeNearest } from '../../sources/path/observe-nearest.ts';
import { observeAnyAddress, observeKnownAddresses, observePath } from '../../sources/target/observe-path.ts';
import { observeReferences, type ReferenceTools } from '../../sources/path/observe-references.ts';
import { controlTarget, licenseTarget, serviceTarget } from '../../sources/target/path-targets.ts';
import { observeOlderTls, type OlderTlsTools } from '../../sources/path/older-tls.ts';

/** What is being looked at, for people who wait. */
export interface RoundProgress {
  readonly probe: 'path' | 'control' | 'mail' | 'clock';
  readonly subject: string;
  readonly kind: 'started' | 'finished';
}

export interface RoundTools extends ReferenceTools, OpensslTools, OlderTlsTools, CloserTools, MailTools {
  readonly system: SystemLookup;
  /** The longest that this process stood still since the last call. */
  readonly takeStall: () => Millis;
  readonly onProgress: (progress: RoundProgress) => void;
  /** Addresses of the licence server that a burst of connections is due to, one for each connection. */
  readonly burst: readonly string[];
  /** Those of the configuration, else those that FortiAuthenticator names, which may have to be asked for first. */
  readonly mailServers: Promise<readonly MailServerConfig[]>;
}

/** Of a small round at which nothing answers: 3 s for names, 3 + 4 + 4 s for connection, handshake and answer. */
export const ROUND_LIMIT: Millis = 14_500;

/** A look costs some 3 ms of one core: a large round takes less than half of it. */
const LOOK_GAP: Millis = 8;

/** A round ends by then even when nothing answers: its last look begins later when there are many. */
export function roundLimit({ services }: Config): Millis {
  return services.length * LOOK_GAP + ROUND_LIMIT;
}

/**
 * Looks at everything once. Never rejects: what failed is in the observations, and what the time was too short for is
 * `aborted`. The licence server comes first, since the others wait for its turn.
 */
export async function observeRound(config: Config, given: RoundTools, ctx: ProbeContext): Promise<RoundObservations> {
  const startedAt = ctx.clock.now();
  const started = ctx.clock.elapsed();
  given.takeStall();
  using limit = deadline(ctx.clock, roundLimit(config), ctx.signal);
  const round = { ...ctx, signal: limit.signal };
  const tools = { ...given, askName: askOnce(given.askName) };
  const lookAt = observeTargets(tools, round);
  const [straight, burst, controls, mail, ntp, services] = await Promise.all([
    lookAt.now('path', config.licenseServer, () => observeLicenseServer(config, tools, round)),
    observeBurst(licenseTarget(config), tools.burst, tools, round),
    lookAt.each('control', config.controlHosts, (host) => observeAnyAddress(controlTarget(host, config), tools, round)),
    orUntilAborted(tools.mailServers, round.signal).then((servers) =>
      lookAt.each('mail', servers, (server) => observeMailServer(server, config, tools, round)),
    ),
    lookAt.each('clock', config.clock.ntp, (server) => observeNtp(server, tools.system, round)),
    lookAt.each('path', config.services, (service) => observePath(serviceTarget(service, config), tools, round)),
  ]);
  const seen = { path: straight.path, controls };
  const [references, older, closer, controlConnects] = await Promise.all([
    observeReferences(licenseTarget(config), seen, tools, round),
    observeOlderTls(licenseTarget(config), straight.path, tools, round),
    observeClosely(licenseTarget(config), seen, tools, round),
    observeNearest(seen, tools, round),
    hearOpenssl(licenseTarget(config), seen, tools, round),
  ]);
  const stalledMs = tools.takeStall();
  return {
    startedAt,
    durationMs: ctx.clock.elapsed() - started,
    stalledMs,
    licenseServer: {
      ...straight.path,
      references: [...references, ...older],
      ...(closer === null ? {} : { closer: closer(stalledMs) }),
    },
    burst,
    knownAddresses: straight.known,
    services,
    controls,
    controlConnects,
    mail,
    ntp,
  };
}

interface LicenseServerObservation {
  readonly path: PathObservation;
  readonly known: readonly EndpointObservation[];
}

async function observeLicenseServer(
  config: Config,
  tools: RoundTools,
  ctx: ProbeContext,
): Promise<LicenseServerObservation> {
  const target = licenseTarget(config);
  const path = await observePath(target, tools, ctx);
  return { path, known: path.endpoints.length > 0 ? [] : await observeKnownAddresses(target, tools, ctx) };
}

/** The list, or none when the round ends first: an appliance that is slow to answer must not hold it up. */
function orUntilAborted<T>(list: Promise<readonly T[]>, signal: AbortSignal): Promise<readonly T[]> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      resolve([]);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    void list.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', giveUp);
    });
  });
}

interface TargetObserver {
  /** At once. */
  now<R>(probe: RoundProgress['probe'], host: HostPort, look: () => Promise<R>): Promise<R>;
  /** One after the other. The results are in the order of `hosts`. */
  each<T extends HostPort, R>(
    probe: RoundProgress['probe'],
    hosts: readonly T[],
    look: (host: T) => Promise<R>,
  ): Promise<readonly R[]>;
}

function observeTargets({ onProgress }: RoundTools, { clock, signal }: ProbeContext): TargetObserver {
  async function watched<R>(probe: RoundProgress['probe'], host: HostPort, look: () => Promise<R>): Promise<R> {
    const subject = authority(host);
    onProgress({ probe, subject, kind: 'started' });
    try {
      return await look();
    } finally {
      onProgress({ probe, subject, kind: 'finished' });
    }
  }

  return {
    now: watched,
    each: (probe, hosts, look) =>
      startApart(hosts, { clock, signal, gap: LOOK_GAP }, (host) => watched(probe, host, () => look(host))),
  };
}
