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

/** Limit for one domain, within the remaining time of a round whose own mail server was silent. */
const LIMIT: Millis = 4000;

/** Per domain: a second server is asked if the first does not answer. */
const MOST_EXCHANGES = 2;

/**
 * Checks whether a mail server of a domain sends a greeting to this machine. Sends nothing except QUIT. Never rejects.
 */
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
      throw new ProbeError('name-not-resolved', `No resolver gives an address of a mail server of "${domain}"`);
    const socket = await connectToAny(addresses, look.exchangePort, ctx, limit.signal);
    if (!(await greets(socket, limit.signal))) throw new ProbeError('protocol', 'It does not greet as a mail server');
    return { domain, hosts, outcome: { kind: 'greets', durationMs: ctx.clock.elapsed() - startedAt } };
  } catch (error) {
    const end = overdueOr(error, limit, (cause) => {
      return new ProbeError('timeout', `No mail server of "${domain}" greets within ${String(LIMIT)} ms`, { cause });
    });
    return { domain, hosts, outcome: failureFrom(end, ctx.clock.elapsed() - startedAt, outer.ctx.signal) };
  }
}

/**
 * RFC 5321 §5.1: a domain without MX records is its own mail server. RFC 7505: a null MX means that a domain accepts no
 * mail.
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
  const failure: unknown = ours ?? failures.at(-1) ?? new ProbeError('internal', 'There is no resolver to ask');
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
 * Adds results from the recipients' mail servers if all mail servers are broken. These results show whether this
 * machine is not allowed to send mail or the servers are really broken.
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

/** Reports whether no resolver answers, in which case the recipients' mail servers cannot be found either. */
function isNobodyAnswering({ names }: PathObservation): boolean {
  return names.length > 0 && names.every(({ a, aaaa }) => a.kind === 'failed' && aaaa.kind === 'failed');
}

/**
 * Reports whether the server is broken for FortiAuthenticator too. A refused sender or recipient may concern only this
 * machine, or only this moment.
 */
function isBroken({ outcome }: MailObservation): boolean {
  if (outcome.kind !== 'failed' || isOfThisMachine(outcome.reason)) return false;
  return outcome.reason !== 'rejected' || (outcome.stage !== 'sender' && outcome.stage !== 'recipient');
}
