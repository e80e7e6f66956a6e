import { isIP } from 'node:net';

import type { MailServerConfig } from './section.ts';
import { isOwnTrouble, type DnsObservation, type MailObservation } from '../../core/observation.ts';
import type { ProbeContext } from '../../network/context.ts';
import { observeMail, type MailPorts, type MailTarget } from './observe-mail.ts';
import type { PathSettings } from '../path/settings.ts';
import type { PathTools } from '../target/observe-path.ts';

export interface MailTools extends Pick<PathTools, 'askName' | 'acceptable'> {
  readonly mail: MailPorts;
}

export type Resolving = Pick<PathSettings, 'resolvers'>;

/** A mail server of your own may well have a private address. */
const ANY_ADDRESS = ['0.0.0.0/0', '::/0'];

/** Resolves the mail server with the first resolver that knows it, then rehearses a message. */
export async function observeMailServer(
  server: MailServerConfig,
  settings: Resolving,
  tools: MailTools,
  ctx: ProbeContext,
): Promise<MailObservation> {
  return observeMail({ server, ...(await find(server, settings, tools, ctx)) }, tools.mail, ctx);
}

async function find(
  { host, port }: MailServerConfig,
  { resolvers }: Resolving,
  tools: MailTools,
  ctx: ProbeContext,
): Promise<Omit<MailTarget, 'server'>> {
  if (isIP(host) !== 0) return { addresses: [host], localError: null };
  const observations: DnsObservation[] = [];
  for (const resolver of resolvers) {
    observations.push(await tools.askName(host, resolver, ctx));
    const addresses = tools.acceptable({ host, port, expectedAddresses: ANY_ADDRESS }, observations);
    if (addresses.length > 0) return { addresses, localError: null };
  }
  const failures = observations.map(({ a }) => a).filter((reply) => reply.kind === 'failed');
  return {
    addresses: [],
    localError: failures.find(({ reason }) => isOwnTrouble(reason)) ?? null,
  };
}
