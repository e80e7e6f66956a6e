import type { Config } from '../../config/config.ts';
import { authority } from '../../core/authority.ts';

/** Those whose certificates are judged. */
export function judgedTargets({ licenseServer, services }: Config): readonly string[] {
  return [licenseServer, ...services].map(authority);
}
