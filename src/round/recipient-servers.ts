import type { Millis, Clock, EpochMs } from '../core/clock.ts';
import { isOfThisMachine, type RecipientServerObservation } from '../core/observation.ts';
import type { ResolverConfig } from '../config/schema/secret.ts';
import type { ProbeContext } from '../network/context.ts';
import { ProbeError, failureFrom, failureReason } from '../network/failure.ts';
import { connectToAny, greets } from '../network/smtp/connect-any.ts';
import { deadline } from '../system/clock.ts';
import { findAddresses, type FindTools, type Resolving } from './mail.ts';
import type { MailServerConfig } from '../config/schema/mail.ts';

/** For one domain, with what is left of a round whose own mail server was silent. */
const LIMIT: Millis = 4000;

/** Of a domain: a second one is asked where the first does not answer. */
const MOST_EXCHANGES = 2;

export interface RecipientTools extends FindTools {
  /** The mail servers of a domain, the most preferred first. @throws what ended it */
  readonly askExchanges: (domain: string, resolver: ResolverConfig, ctx: ProbeContext) => Promise<readonly string[]>;
  /** On which the mail servers of others listen. */
  readonly exchangePort: number;
}

/** Whether a mail server of a domain greets this machine. Nothing is said to it but QUIT. Never rejects. */
export async function observeRecipientServer(
  domain: string,
  { resolvers }: Resolving,
  tools: RecipientTools,
  outer: ProbeContext,
): Promise<RecipientServerObservation> {
  using limit = deadline(outer.clock, LIMIT, outer.signal);
  const ctx = { ...outer, signal: limit.signal };
  const startedAt = ctx.clock.elapsed();
  const port = tools.exchangePort;
  let hosts: readonly string[] = [];
  try {
    hosts = await exchangesOf(domain, resolvers, tools, ctx);
    const found = await Promise.all(hosts.map((host) => findAddresses({ host }, { resolvers }, tools, ctx)));
    const addresses = found.flatMap((each) => each.addresses);
    const localError = found.find((each) => each.localError !== null)?.localError ?? null;
    if (addresses.length === 0 && localError !== null) throw new ProbeError(localError.reason, localError.message);
    if (addresses.length === 0)
      throw new ProbeError('name-not-resolved', `No resolver gives an address of a mail server of "${domain}"`);
    const socket = await connectToAny(addresses, port, ctx, limit.signal);
    if (!(await greets(socket, limit.signal))) throw new ProbeError('protocol', 'It does not greet as a mail server');
    return { domain, hosts, outcome: { kind: 'greets', durationMs: ctx.clock.elapsed() - startedAt } };
  } catch (error) {
    const told =
      limit.expired() && !(error instanceof ProbeError)
        ? new ProbeError('timeout', `No mail server of "${domain}" greets within ${String(LIMIT)} ms`, { cause: error })
        : error;
    return { domain, hosts, outcome: failureFrom(told, ctx.clock.elapsed() - startedAt, outer.signal) };
  }
}

/** RFC 5321 §5.1: a domain without MX records is its own mail server. RFC 7505: one that takes no mail says so. */
async function exchangesOf(
  domain: string,
  resolvers: readonly ResolverConfig[],
  { askExchanges }: RecipientTools,
  ctx: ProbeContext,
): Promise<readonly string[]> {
  const failures: unknown[] = [];
  for (const resolver of resolvers) {
    try {
      const exchanges = await askExchanges(domain, resolver, ctx);
      if (exchanges.length === 0) return [domain];
      return exchanges.filter((host) => host !== '' && host !== '.').slice(0, MOST_EXCHANGES);
    } catch (error) {
      ctx.signal.throwIfAborted();
      failures.push(error);
    }
  }
  const ours = failures.find((failure) => isOfThisMachine(failureReason(failure)));
  const failure: unknown = ours ?? failures.at(-1) ?? new ProbeError('internal', 'There is no resolver to ask');
  throw failure;
}

/** They are servers of others. */
const HOUR: Millis = 3_600_000;

/** What the mail servers of the recipients said last. */
export interface RecipientLooks {
  /** Whether to look again; counts as looked. */
  isDue(): boolean;
  /** It stands until the next look. */
  last(): readonly RecipientServerObservation[];
  keep(seen: readonly RecipientServerObservation[]): void;
}

export function createRecipientLooks({ now }: Pick<Clock, 'now'>): RecipientLooks {
  let lookedAt: EpochMs | null = null;
  let last: readonly RecipientServerObservation[] = [];
  return {
    isDue: () => {
      const isDue = lookedAt === null || now() - lookedAt >= HOUR;
      if (isDue) lookedAt = now();
      return isDue;
    },
    last: () => last,
    keep: (seen) => {
      last = seen;
    },
  };
}

export interface Recipients {
  readonly mail: readonly MailServerConfig[];
  readonly notify: { readonly email: { readonly to: readonly string[] } | null };
}

const MOST_DOMAINS = 3;

/** Of the addresses that the configuration names: those that FortiAuthenticator writes to are not known. */
export function recipientDomains({ mail, notify }: Recipients): readonly string[] {
  const addresses = [...mail.map(({ to }) => to), ...(notify.email?.to ?? [])];
  const domains = addresses.flatMap((address) => /@([^@[\]]+)$/u.exec(address ?? '')?.[1]?.toLowerCase() ?? []);
  return [...new Set(domains)].slice(0, MOST_DOMAINS);
}
