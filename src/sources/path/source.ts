import { pathProbes, type PathFacts, type PathObservation } from '../../core/round.ts';
import type { RoundLook, RoundSource } from '../source.ts';
import { observeKnownAddresses, observePath } from '../target/observe-path.ts';
import { licenseTarget, serviceTarget } from '../target/path-targets.ts';
import { hearOpenssl, type OpensslTools } from './hear-openssl.ts';
import { PATH_METRICS } from './metrics.ts';
import { observeBurst } from './observe-burst.ts';
import { observeClosely, type CloserTools } from './observe-closely.ts';
import { observeNearest } from './observe-nearest.ts';
import { observeReferences, type ReferenceTools } from './observe-references.ts';
import type { PathSettings } from './settings.ts';
import { observeOlderTls, type OlderTlsTools } from './older-tls.ts';

interface PathSourceTools extends ReferenceTools, OpensslTools, OlderTlsTools, CloserTools {
  /** Addresses of the licence server that a burst of connections is due to, one for each connection. */
  readonly burst: readonly string[];
}

interface Others {
  readonly controls: readonly PathObservation[];
}

/** The licence server and the services: every resolver, every acceptable address, one connection to each. */
export const path: RoundSource<'path', PathSettings, PathFacts, PathSourceTools, Others> = {
  id: 'path',
  runs: 'round',
  metrics: PATH_METRICS,
  targets: ({ licenseServer, services, resolvers }) => [
    ...resolvers.map(({ label }) => ({ probe: 'dns', target: label })),
    ...[licenseServer, ...services].flatMap(pathProbes),
  ],
  observe: async (settings, look) => {
    const [straight, burst, services] = await Promise.all([
      look.now(settings.licenseServer, () => observeLicenseServer(settings, look)),
      observeBurst(licenseTarget(settings), look.burst, look, look.ctx),
      look.each(settings.services, (service) => observePath(serviceTarget(service, settings), look, look.ctx)),
    ]);
    return { ...straight, burst, services };
  },
  lookAgain: async (settings, look, { own, others: { controls } }) => {
    const { ctx } = look;
    const target = licenseTarget(settings);
    const seen = { path: own.licenseServer, controls };
    const [references, older, closer, controlConnects] = await Promise.all([
      observeReferences(target, seen, look, ctx),
      observeOlderTls(target, own.licenseServer, look, ctx),
      observeClosely(target, seen, look, ctx),
      observeNearest(seen, look, ctx),
      hearOpenssl(target, seen, look, ctx),
    ]);
    const licenseServer = {
      ...own.licenseServer,
      references: [...references, ...older],
      ...(closer === null ? {} : { closer: closer(look.stalledMs()) }),
    };
    return { ...own, licenseServer, controlConnects };
  },
  runsIn: ({ licenseServer, services }) => ({ paths: [licenseServer, ...services], samples: [] }),
};

async function observeLicenseServer(
  settings: PathSettings,
  look: RoundLook<PathSourceTools>,
): Promise<Pick<PathFacts, 'licenseServer' | 'knownAddresses'>> {
  const target = licenseTarget(settings);
  const licenseServer = await observePath(target, look, look.ctx);
  const isKnown = licenseServer.endpoints.length > 0;
  return { licenseServer, knownAddresses: isKnown ? [] : await observeKnownAddresses(target, look, look.ctx) };
}
