import { resolvers } from '../../config/schema/resolver.ts';
import { optional } from '../../config/schema/section.ts';
import { address } from '../../config/schema/values.ts';
import type { Millis } from '../../core/clock.ts';
import { pathProbes, type PathFacts, type PathObservation } from '../../core/round.ts';
import type { RoundLook, RoundSource } from '../source.ts';
import { observeKnownAddresses, observePath } from '../target/observe-path.ts';
import { licenseTarget, serviceTarget } from '../target/path-targets.ts';
import { hearOpenssl, type OpensslTools } from './hear-openssl.ts';
import { licenseServer } from './license-server-section.ts';
import { PATH_METRICS } from './metrics.ts';
import { observeBurst } from './observe-burst.ts';
import { observeClosely, type CloserTools } from './observe-closely.ts';
import { observeNearest } from './observe-nearest.ts';
import { observeOtherNames } from './other-names.ts';
import { observeReferences, type ReferenceTools } from './observe-references.ts';
import { services } from './services-section.ts';
import type { PathSettings } from './settings.ts';
import { observeOlderTls, type OlderTlsTools } from './older-tls.ts';
import { trust } from './trust-section.ts';

interface PathSourceTools extends ReferenceTools, OpensslTools, OlderTlsTools, CloserTools {
  /** Addresses of the licence server that a burst of connections is due to, one for each connection. */
  readonly burst: readonly string[];
  /** How long each step of these may take, where there is not as much time as usual. */
  readonly burstLimit?: Millis;
}

interface Others {
  readonly controls: readonly PathObservation[];
}

/** The licence server and the services: every resolver, every acceptable address, one connection to each. */
export const path: RoundSource<'path', PathSettings, PathFacts, PathSourceTools, PathSettings, Others> = {
  id: 'path',
  runs: 'round',
  sections: {
    licenseServer: licenseServer.prefault({}).describe("Fortinet's FortiToken Mobile licence server."),
    trust: trust.prefault({}).describe("How the licence server's certificate is judged."),
    services: services.describe(
      'Other hosts that FortiAuthenticator talks to, such as the push service. The same probes and causes.',
    ),
    resolvers: resolvers
      .prefault(['system'])
      .describe(
        "Resolvers to ask, each by itself: name those that FortiAuthenticator uses. system is this machine's own.",
      ),
    sourceAddress: optional(address).describe(
      'Local address that probes leave from, on machines with several: firewall policies match source addresses.',
    ),
  },
  metrics: PATH_METRICS,
  targets: (settings) => [
    ...settings.resolvers.map(({ label }) => ({ probe: 'dns', target: label })),
    ...[settings.licenseServer, ...settings.services].flatMap(pathProbes),
  ],
  observe: async (settings, look) => {
    const [straight, burst, others] = await Promise.all([
      look.now(settings.licenseServer, () => observeLicenseServer(settings, look)),
      observeBurst(licenseTarget(settings), look.burst, look, look.ctx),
      look.each(settings.services, (service) => observePath(serviceTarget(service, settings), look, look.ctx)),
    ]);
    return { ...straight, burst, services: others };
  },
  lookAgain: async (settings, look, { own, others: { controls } }) => {
    const { ctx } = look;
    const target = licenseTarget(settings);
    const seen = { path: own.licenseServer, controls };
    const [references, older, closer, controlConnects, otherNames] = await Promise.all([
      observeReferences(target, seen, look, ctx),
      observeOlderTls(target, own.licenseServer, look, ctx),
      observeClosely(target, seen, look, ctx),
      observeNearest(seen, look, ctx),
      observeOtherNames(target, seen, look, ctx),
      hearOpenssl(target, seen, look, ctx),
    ]);
    const looked = {
      ...own.licenseServer,
      references: [...references, ...older],
      ...(closer === null ? {} : { closer: closer(look.stalledMs()) }),
    };
    return { ...own, licenseServer: looked, controlConnects, otherNames };
  },
  runsIn: (facts) => ({ paths: [facts.licenseServer, ...facts.services], samples: [] }),
};

async function observeLicenseServer(
  settings: PathSettings,
  look: RoundLook<PathSourceTools>,
): Promise<Pick<PathFacts, 'licenseServer' | 'knownAddresses'>> {
  const target = licenseTarget(settings);
  const seen = await observePath(target, look, look.ctx);
  const isDialled = seen.endpoints.length > 0;
  return { licenseServer: seen, knownAddresses: isDialled ? [] : await observeKnownAddresses(target, look, look.ctx) };
}
