import { authority } from '../../core/authority.ts';
import type { Config } from '../../config/config.ts';
import type { ProbeSample } from '../../core/round.ts';

/** One series of metrics and history. */
export type ProbeTarget = Pick<ProbeSample, 'probe' | 'target'>;

/** Everything that rounds will look at, as their samples name it; a stage that is not reached has no sample. */
export function probeTargets({
  licenseServer,
  services,
  controlHosts,
  resolvers,
  mail,
  clock,
}: Config): readonly ProbeTarget[] {
  const hosts = [licenseServer, ...services, ...controlHosts].map(authority);
  return [
    ...resolvers.map(({ label }): ProbeTarget => ({ probe: 'dns', target: label })),
    ...[...new Set(hosts)].flatMap((target) =>
      (['tcp', 'tls', 'http'] as const).map((probe): ProbeTarget => ({ probe, target })),
    ),
    ...mail.map((server): ProbeTarget => ({ probe: 'mail', target: authority(server) })),
    ...clock.ntp.map((server): ProbeTarget => ({ probe: 'ntp', target: authority(server) })),
  ];
}

/** Those whose certificates are judged. */
export function judgedTargets({ licenseServer, services }: Config): readonly string[] {
  return [licenseServer, ...services].map(authority);
}
