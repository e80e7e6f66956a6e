import type { MailServer } from './mail-servers.ts';
import type { MailObservation } from '../../core/observation.ts';
import type { ProbeContext } from '../../network/context.ts';
import { findAddresses, type FindTools, type Resolving } from './find-addresses.ts';
import { observeMail, type MailPorts } from './observe-mail.ts';

export interface MailTools extends FindTools {
  readonly mail: MailPorts;
}

/** Resolves the mail server with the first resolver that knows it, then rehearses a message. */
export async function observeMailServer(
  server: MailServer,
  settings: Resolving,
  tools: MailTools,
  ctx: ProbeContext,
): Promise<MailObservation> {
  return observeMail({ server, ...(await findAddresses(server, settings, tools, ctx)) }, tools.mail, ctx);
}
