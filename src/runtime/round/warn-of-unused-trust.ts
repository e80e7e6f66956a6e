import type { Logger } from 'pino';

import { describeRefused } from '../../checks/tls-genuine/unconfirmed.ts';
import type { ProbeKit } from './probe-kit.ts';

/** Names what was learned or configured, and is not used. */
export function warnOfUnusedTrust(
  targets: readonly string[],
  { knowledgeOf, skippedPatterns }: Pick<ProbeKit, 'knowledgeOf' | 'skippedPatterns'>,
  logger: Logger,
): void {
  for (const skipped of skippedPatterns) logger.warn(skipped);
  for (const target of targets) {
    const refused = knowledgeOf(target).refusedBaseline;
    if (refused !== null)
      logger.warn({ target, certificate: refused.unconfirmed.fingerprint }, describeRefused(refused));
  }
}
