import { deadline } from '../clock.ts';
import type { Config, MailServerConfig } from '../config/config.ts';
import type { Millis } from '../core/clock.ts';
import type { EndpointObservation, MailObservation } from '../core/observation.ts';
import type { PathObservation, RoundObservations } from '../core/round.ts';
import { observeNtp } from '../probes/clock/ntp.ts';
import type { ProbeContext } from '../probes/context.ts';
import { authority } from '../probes/endpoint/dial.ts';
import { observeMailServer, type MailTools } from './observe-mail-server.ts';
import { observeAnyAddress, observeKnownAddresses, observePath } from './observe-path.ts';
import { observeReferences, type ReferenceTools } from './observe-references.ts';
import { controlTarget, licenseTarget, serviceTarget } from './path-targets.ts';

/** What is being looked at, for people who wait. */
export interface RoundProgress {
  readonly probe: 'path' | 'control' | 'mail' | 'clock';
  readonly subject: string;
  readonly kind: 'started' | 'finished';
}

export interface RoundTools extends ReferenceTools, MailTools {
  /** The longest that this process stood still since the last call. */
  readonly takeStall: () => Millis;
  readonly onProgress: (progress: RoundProgress) => void;
  /** Those of the configuration, else those that FortiAuthenticator names, which may have to be asked for first. */
  readonly mailServers: Promise<readonly MailServerConfig[]>;
}

/** A round ends by then even when nothing answers: 3 s for names, 3 + 4 + 4 s for connection, handshake and answer. */
export const ROUND_LIMIT: Millis = 14_500;

/**
 * Looks at everything once. Never rejects: what failed is in the observations, and what the time was too short for is `aborted`.
 * The licence server comes first, since the others wait for its turn.
 */
export async function observeRound(config: Config, tools: RoundTools, ctx: ProbeContext): Promise<RoundObservations> {
  const startedAt = ctx.clock.now();
  const started = ctx.clock.elapsed();
  tools.takeStall();
  using limit = deadline(ctx.clock, ROUND_LIMIT, ctx.signal);
  const round = { ...ctx, signal: limit.signal };
  const watched = watcher(tools.onProgress);
  const [straight, services, controls, mail, ntp] = await Promise.all([
    watched('path', authority(config.licenseServer), observeLicenseServer(config, tools, round)),
    Promise.all(
      config.services.map((service) => watched('path', authority(service), observePath(serviceTarget(service, config), tools, round))),
    ),
    Promise.all(
      config.controlHosts.map((host) => watched('control', authority(host), observeAnyAddress(controlTarget(host, config), tools, round))),
    ),
    observeMail(config, tools, round, watched),
    Promise.all(config.clock.ntp.map((server) => watched('clock', authority(server), observeNtp(server, tools.dns.system, round)))),
  ]);
  const references = await observeReferences(licenseTarget(config), { path: straight.path, controls }, tools, round);
  return {
    startedAt,
    durationMs: ctx.clock.elapsed() - started,
    stalledMs: tools.takeStall(),
    licenseServer: { ...straight.path, references },
    knownAddresses: straight.known,
    services,
    controls,
    mail,
    ntp,
  };
}

interface LicenseServerObservation {
  readonly path: PathObservation;
  readonly known: readonly EndpointObservation[];
}

async function observeLicenseServer(config: Config, tools: RoundTools, ctx: ProbeContext): Promise<LicenseServerObservation> {
  const target = licenseTarget(config);
  const path = await observePath(target, tools, ctx);
  return { path, known: path.endpoints.length > 0 ? [] : await observeKnownAddresses(target, tools, ctx) };
}

async function observeMail(config: Config, tools: RoundTools, ctx: ProbeContext, watched: Watched): Promise<readonly MailObservation[]> {
  const servers = await orUntilAborted(tools.mailServers, ctx.signal);
  return Promise.all(servers.map((server) => watched('mail', authority(server), observeMailServer(server, config, tools, ctx))));
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

type Watched = <T>(probe: RoundProgress['probe'], subject: string, work: Promise<T>) => Promise<T>;

function watcher(onProgress: RoundTools['onProgress']): Watched {
  return async (probe, subject, work) => {
    onProgress({ probe, subject, kind: 'started' });
    try {
      return await work;
    } finally {
      onProgress({ probe, subject, kind: 'finished' });
    }
  };
}
