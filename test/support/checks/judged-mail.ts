import { mail } from '../../../src/checks/mail/judge.ts';
import type { MailObservation } from '../../../src/core/observation.ts';
import type { Finding } from '../../../src/engine/model.ts';
import { configOf } from '../config/config-of.ts';
import { judgedBy } from './judged-by.ts';
import { round } from './observed.ts';

const config = await configOf('sourceAddress: 192.0.2.5\nappliances: [{ name: fac-1, logSources: [192.0.2.5] }]');

/** Returns the findings about the mail servers, which a probe with FortiAuthenticator's address has seen. */
export function judgeMailServers(seen: readonly MailObservation[]): readonly Finding[] {
  return judgedBy(mail, { config, observations: round({ mail: seen }) });
}
