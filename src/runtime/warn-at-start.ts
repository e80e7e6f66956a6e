import type { Logger } from 'pino';

import { describeRefused } from '../checks/tls-genuine/unconfirmed.ts';
import type { Config } from '../config/config.ts';
import { noChannelNote } from '../notify/no-channel.ts';
import { exposureNotes } from '../web/exposure.ts';
import { judgedTargets } from './round/judged-targets.ts';
import type { ProbeKit } from './round/probe-kit.ts';

/** Logs what works and may not be what was meant: nobody is told, passwords in clear, trust that is not used. */
export function warnAtStart(
  config: Config,
  { knowledgeOf, skippedPatterns }: Pick<ProbeKit, 'knowledgeOf' | 'skippedPatterns'>,
  logger: Logger,
): void {
  const note = noChannelNote(config.notify);
  if (note !== null) logger.warn(note);
  for (const warning of [...exposureNotes(config.web), ...skippedPatterns]) logger.warn(warning);
  for (const target of judgedTargets(config)) {
    const refused = knowledgeOf(target).refusedBaseline;
    if (refused !== null)
      logger.warn({ target, certificate: refused.unconfirmed.fingerprint }, describeRefused(refused));
  }
}
