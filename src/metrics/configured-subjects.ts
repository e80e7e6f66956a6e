import { CHECKS } from '../checks/registry.ts';
import type { Config } from '../config/config.ts';
import { authority } from '../core/authority.ts';
import type { ProbeTarget } from '../core/round.ts';

/** Stands for every subject that the configuration does not name: a licence, or a mail host that an API told of. */
export const OTHER_SUBJECT = 'other';

/**
 * The subjects of causes that may be labels: what stands in the configuration, its hosts with their ports, what is
 * probed, and the preconditions themselves.
 */
export function configuredSubjects(config: Config, probes: readonly ProbeTarget[]): ReadonlySet<string> {
  return new Set([...CHECKS.map(({ id }) => id), ...probes.map(({ target }) => target), ...namesIn(config)]);
}

/** Texts, and a host with its port as `host:port`. */
export function namesIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  const { host, port } = { host: null, port: null, ...value };
  const place = typeof host === 'string' && typeof port === 'number' ? [authority({ host, port })] : [];
  return [...place, ...Object.values(value).flatMap(namesIn)];
}
