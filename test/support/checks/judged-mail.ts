import { mail } from '../../../src/checks/mail/judge.ts';
import type { MailObservation } from '../../../src/core/observation.ts';
import type { Finding } from '../../../src/engine/model.ts';
import { configOf } from '../config/config-of.ts';
import { round } from './observed.ts';
import { withPlainClaims } from './plain-claim.ts';

const config = await configOf('sourceAddress: 192.0.2.5\nappliances: [{ name: fac-1, logSources: [192.0.2.5] }]');

/** Returns the findings about the mail servers, which a probe with FortiAuthenticator's address has seen. */
export const judgeMailServers = withPlainClaims((seen: readonly MailObservation[]): readonly Finding[] => {
  if (mail.from !== 'round') throw new Error('Expected a check of the round');
  const facts = { config, round: round({ mail: seen }), carriers: [], clock: [], answered: new Set<string>() };
  return mail.judge(facts).findings;
});
