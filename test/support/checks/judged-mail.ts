import { mail } from '../../../src/checks/mail/judge.ts';
import type { MailObservation } from '../../../src/core/observation.ts';
import type { Finding } from '../../../src/engine/model.ts';
import { configOf } from '../config/config-of.ts';
import { judgedBy } from './judged-by.ts';
import { round } from './observed.ts';

const [own, other] = await Promise.all([
  configOf('sourceAddress: 192.0.2.5\nappliances: [{ name: fac-1, logSources: [192.0.2.5] }]'),
  configOf('appliances: [{ name: fac-1 }]'),
]);

/** @param fromAppliance whether the probe has FortiAuthenticator's address */
export function judgeMailServers(seen: readonly MailObservation[], fromAppliance = true): readonly Finding[] {
  return judgedBy(mail, { config: fromAppliance ? own : other, observations: round({ mail: seen }) });
}
