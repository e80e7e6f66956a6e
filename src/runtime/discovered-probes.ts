import type { Config } from '../config/config.ts';
import { authority } from '../core/authority.ts';
import type { DiscoveredProbe } from '../web/probe-answer.ts';

/**
 * What `/probe` can be asked of a configuration: each target with the deepest look that is sure to suit it. Further
 * ports, and the way out, are only connected to.
 */
export function discoveredProbes({
  licenseServer,
  services,
  controlHosts,
  resolvers,
  mail,
  web,
}: Config): readonly DiscoveredProbe[] {
  return [
    ...[licenseServer, ...services].map((host): DiscoveredProbe => ({ module: 'http', target: authority(host) })),
    ...[...controlHosts, ...web.probeTargets].map(
      (host): DiscoveredProbe => ({ module: 'tcp', target: authority(host) }),
    ),
    ...resolvers.map(({ label }): DiscoveredProbe => ({ module: 'dns', target: label })),
    ...mail.map((server): DiscoveredProbe => ({ module: 'smtp', target: authority(server) })),
  ];
}
