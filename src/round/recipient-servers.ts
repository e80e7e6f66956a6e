import type { Config } from '../config/config.ts';
import type { Millis } from '../core/clock.ts';
import { isOfThisMachine, type MailObservation, type RecipientServerObservation } from '../core/observation.ts';
import type { PathObservation } from '../core/round.ts';
import { failureFrom, failureReason, overdueOr, ProbeError } from '../network/failure.ts';
import { connectToAny, greets } from '../network/smtp/connect-any.ts';
import { deadline } from '../system/clock.ts';
import { observeExchanges } from './dns.ts';
import type { Look } from './instruments.ts';
import { findAddresses } from './mail.ts';

/** Time limit for one domain, which fits into the remaining time of a round whose own mail server did not respond. */
const LIMIT: Millis = 4000;

/** Maximum number of servers per domain. The second server is tried if the first does not respond. */
const MOST_EXCHANGES = 2;

/** Checks whether a mail server of a domain sends a greeting to this machine. Sends only QUIT. Never rejects. */
export async function observeRecipientServer(domain: string, outer: Look): Promise<RecipientServerObservation> {
  using limit = deadline(outer.clock, LIMIT, outer.ctx.signal);
  const ctx = { ...outer.ctx, signal: limit.signal };
  const look = { ...outer, ctx };
  const startedAt = ctx.clock.elapsed();
  let hosts: readonly string[] = [];
  try {
    hosts = await exchangesOf(domain, look);
    const found = await Promise.all(hosts.map((host) => findAddresses({ host }, look)));
    const addresses = found.flatMap((each) => each.addresses);
    const localError = found.find((each) => each.localError !== null)?.localError ?? null;
    if (addresses.length === 0 && localError !== null) throw new ProbeError(localError.reason, localError.message);
    if (addresses.length === 0)
      throw new ProbeError('name-not-resolved', `No resolver returns an address of a mail server for "${domain}"`);
    const socket = await connectToAny(addresses, look.exchangePort, ctx, limit.signal);
    if (!(await greets(socket, limit.signal)))
      throw new ProbeError('protocol', 'The server does not send an SMTP greeting');
    return { domain, hosts, outcome: { kind: 'greets', durationMs: ctx.clock.elapsed() - startedAt } };
  } catch (error) {
    const end = overdueOr(error, limit, (cause) => {
      return new ProbeError('timeout', `No mail server of "${domain}" sends a greeting within ${String(LIMIT)} ms`, {
        cause,
      });
    });
    return { domain, hosts, outcome: failureFrom(end, ctx.clock.elapsed() - startedAt, outer.ctx.signal) };
  }
}

/**
 * Returns the mail servers of a domain. A domain without MX records is its own mail server (RFC 5321 §5.1). A null MX
 * record means that the domain does not accept mail (RFC 7505).
 */
async function exchangesOf(domain: string, look: Look): Promise<readonly string[]> {
  const failures: unknown[] = [];
  for (const resolver of look.config.resolvers) {
    try {
      const exchanges = await observeExchanges(domain, resolver, look, look.ctx);
      if (exchanges.length === 0) return [domain];
      return exchanges.filter((host) => host !== '' && host !== '.').slice(0, MOST_EXCHANGES);
    } catch (error) {
      look.ctx.signal.throwIfAborted();
      failures.push(error);
    }
  }
  const ours = failures.find((failure) => isOfThisMachine(failureReason(failure)));
  const failure: unknown = ours ?? failures.at(-1) ?? new ProbeError('internal', 'No resolver is configured');
  throw failure;
}

const MOST_DOMAINS = 3;

/** Returns the domains of the configured addresses, because the recipients of FortiAuthenticator's mail are unknown. */
function recipientDomains({ mail, notify }: Pick<Config, 'mail' | 'notify'>): readonly string[] {
  const addresses = [...mail.map(({ to }) => to), ...(notify.email?.to ?? [])];
  const domains = addresses.flatMap((address) => /@([^@[\]]+)$/u.exec(address ?? '')?.[1]?.toLowerCase() ?? []);
  return [...new Set(domains)].slice(0, MOST_DOMAINS);
}

/**
 * Adds results from the recipients' mail servers if no mail server works. These results distinguish a machine that is
 * not allowed to send mail from mail servers that actually fail.
 */
export async function withRecipientServers(
  mail: readonly MailObservation[],
  licenseServer: PathObservation,
  look: Look,
): Promise<readonly MailObservation[]> {
  if (mail.length === 0 || !mail.every(isBroken)) return mail;
  const { recipientLooks } = look.memory;
  if (!isNobodyAnswering(licenseServer) && recipientLooks.isDue())
    recipientLooks.keep(
      await Promise.all(recipientDomains(look.config).map((domain) => observeRecipientServer(domain, look))),
    );
  return mail.map((seen) => ({ ...seen, recipientServers: recipientLooks.last() }));
}

/** Reports whether no resolver answers. In this case, the recipients' mail servers cannot be found. */
function isNobodyAnswering({ names }: PathObservation): boolean {
  return names.length > 0 && names.every(({ a, aaaa }) => a.kind === 'failed' && aaaa.kind === 'failed');
}

/**
 * Reports whether the server also fails for FortiAuthenticator. A rejected sender or recipient may concern only this
 * machine, and may be temporary.
 */
function isBroken({ outcome }: MailObservation): boolean {
  if (outcome.kind !== 'failed' || isOfThisMachine(outcome.reason)) return false;
  return outcome.reason !== 'rejected' || (outcome.stage !== 'sender' && outcome.stage !== 'recipient');
}
