import type { Logger } from 'pino';

import { describeRefused } from '../../checks/tls-genuine/unconfirmed.ts';
import type { ProbeKit } from './probe-kit.ts';

export function warnOfRefusedBaselines(
  targets: readonly string[],
  { knowledgeOf }: Pick<ProbeKit, 'knowledgeOf'>,
  logger: Logger,
): void {
  for (const target of targets) {
    const refused = knowledgeOf(target).refusedBaseline;
    if (refused !== null)
      logger.warn({ target, certificate: refused.unconfirmed.fingerprint }, describeRefused(refused));
  }
}
