import { isIP, type Socket } from 'node:net';
import type { ConnectionOptions, SecureContext } from 'node:tls';
import { dialledAddresses } from '../checks/name-resolution/judge.ts';
import { type MailServer, type MailServerConfig, USUAL_PATIENCE } from '../config/schema/watched.ts';
import type { UnitObservation } from '../connectors/picture.ts';
import {
  valueOf,
  type MailObservation,
  type Failure,
  type MailOutcome,
  type MailStage,
  isOfThisMachine,
  isOwnTrouble,
  type DnsObservation,
} from '../core/observation.ts';
import { type ProbeContext, unlessAborted } from '../network/context.ts';
import { deadline, type Deadline } from '../system/clock.ts';
import type { Millis } from '../core/clock.ts';
import { openSocket, openTls, UnverifiedError } from '../network/connect.ts';
import {
  errorCode,
  failureFrom,
  failureMessage,
  failureReason,
  overdueOr,
  printable,
  ProbeError,
} from '../network/failure.ts';
import { createVerifiedIdentity, MailSession, SmtpError, type VerifiedIdentity } from '../network/smtp/session.ts';
import { authority, type HostPort } from '../core/addresses.ts';
import { askInTurn } from './dns.ts';
import type { Instruments, RoundTools } from './instruments.ts';
import { mailTlsOf, type RootFinder } from './mail-roots.ts';

/** Can end the check early. If the server has not responded when the check ends, the result is `aborted`. */
export type MailPace = (
  server: MailServer,
  rehearse: (signal: AbortSignal) => Promise<MailObservation>,
) => Promise<MailObservation>;

export async function observeMailServer(server: MailServer, tools: RoundTools): Promise<MailObservation> {
  return observeMail({ server, ...(await findAddresses(server, tools)) }, tools, tools.ctx);
}

/** Shorter deferrals do not matter, because activation codes are valid for at least this long. */
const SHORTEST_LIFE: Millis = 3_600_000;

/**
 * Adds new root authorities, and the duration of a deferral if activation codes may have expired in the meantime.
 * @param codeLife the shortest code lifetime of all units; null if no unit has reported one
 */
export async function observeWithMemory(
  server: MailServer,
  tools: RoundTools,
  { codeLife, mailPace }: { readonly codeLife: Promise<Millis | null>; readonly mailPace?: MailPace | undefined },
): Promise<MailObservation> {
  const { signal } = tools.ctx;
  const rehearse = (own: AbortSignal): Promise<MailObservation> =>
    observeMailServer(server, { ...tools, ctx: { ...tools.ctx, signal: own } });
  const rehearsed = await (mailPace === undefined ? rehearse(signal) : mailPace(server, rehearse));
  const seen = withNewRoots(rehearsed, server, tools);
  const lasted = tools.memory.deferrals.note(seen.server, seen.outcome);
  if (lasted === null || lasted < SHORTEST_LIFE) return seen;
  return { ...seen, deferral: { lasted, codeLife: await unlessAborted(codeLife, signal).catch(() => null) } };
}

/** If the roots of FortiAuthenticator are configured, a root that it does not trust is a failure. */
function withNewRoots(seen: MailObservation, { applianceCaFile }: MailServer, { memory }: RoundTools): MailObservation {
  const { server, tls } = seen;
  const newRoots = memory.mailRoots.note(server, tls?.isVerified === true ? tls.root : null);
  return newRoots.length === 0 || applianceCaFile !== null ? seen : { ...seen, newRoots };
}

/** If no mail servers are configured, FortiAuthenticator's own mail servers are checked. */
export function mailServersOf(
  { mail }: { readonly mail: readonly MailServerConfig[] },
  units: readonly UnitObservation[],
): readonly MailServer[] {
  if (mail.length > 0) return mail;
  const named = units.flatMap(({ rest }) => (rest?.kind === 'ok' ? (valueOf(rest.mailServers) ?? []) : []));
  const servers = named.map(
    (server): MailServer => ({ ...server, required: false, timeout: USUAL_PATIENCE, isLoginUnknown: true }),
  );
  return [...new Map(servers.map((server) => [authority(server), server])).values()];
}

export function codeLifeOf(units: readonly UnitObservation[]): Millis | null {
  const lives = units.flatMap(({ rest }) => (rest?.kind === 'ok' ? (valueOf(rest.provisioning)?.codeLife ?? []) : []));
  return lives.length === 0 ? null : Math.min(...lives);
}

/** From the first SYN packet to the last reply. */
const MAIL_LIMIT: Millis = 10_000;

/** Both RSET and QUIT are sent after the result is known. */
const QUIT_WAIT: Millis = 500;

const MAX_GREETING = 200;

type MailPorts = Pick<Instruments, 'trust' | 'fileTrust' | 'readSecret' | 'mailLimit'> & RootFinder;

interface MailTarget extends FoundAddresses {
  readonly server: MailServer;
}

/**
 * Sends all SMTP commands up to the recipient, then cancels the transaction, so that no message is sent. Never throws
 * and takes no longer than its limit.
 */
export async function observeMail(target: MailTarget, ports: MailPorts, ctx: ProbeContext): Promise<MailObservation> {
  const { security, required, timeout } = target.server;
  const identity = createVerifiedIdentity();
  const { outcome, refused } = await rehearse(target, ports, identity, ctx);
  const tls = mailTlsOf(
    { ders: refused ?? identity.chain(), isVerified: refused === null },
    target.server,
    ports,
    ctx.clock.now(),
  );
  return {
    server: authority(target.server),
    security,
    required,
    patience: timeout,
    outcome,
    certificateNotAfter: identity.notAfter(),
    ...(tls === null ? {} : { tls }),
    ...(target.server.isLoginUnknown === true ? { isLoginUnknown: true } : {}),
  };
}

interface Rehearsal {
  readonly target: MailTarget;
  readonly ctx: ProbeContext;
  readonly limit: Deadline;
  stage: MailStage;
  /** The longest time that the server has taken for a single step. */
  slowestMs: Millis;
  readonly longest: Millis;
  stepAt: Millis;
  session: MailSession | null;
  /** Secrets that must never be displayed, even if a server's reply contains them. */
  secrets: readonly string[];
}

interface Rehearsed {
  readonly outcome: MailOutcome;
  /** The chain that could not be verified, in DER format. Null if there is none. */
  readonly refused: readonly Uint8Array[] | null;
}

async function rehearse(
  target: MailTarget,
  ports: MailPorts,
  identity: VerifiedIdentity,
  ctx: ProbeContext,
): Promise<Rehearsed> {
  const startedAt = ctx.clock.elapsed();
  const longest = Math.max(ports.mailLimit ?? MAIL_LIMIT, target.server.timeout);
  using limit = deadline(ctx.clock, longest, ctx.signal);
  const rehearsal: Rehearsal = {
    target,
    ctx,
    limit,
    stage: 'connect',
    slowestMs: 0,
    longest,
    stepAt: startedAt,
    session: null,
    secrets: [],
  };
  try {
    await perform(rehearsal, ports, identity);
    const greeting = printable(rehearsal.session?.greeting ?? '', MAX_GREETING);
    const { slowestMs } = rehearsal;
    const durationMs = ctx.clock.elapsed() - startedAt;
    return { outcome: { kind: 'accepted', durationMs, slowestMs, greeting }, refused: null };
  } catch (error) {
    const outcome = failed(rehearsal, error, ctx.clock.elapsed() - startedAt);
    return { outcome, refused: error instanceof UnverifiedError ? error.chain : null };
  } finally {
    await endSession(rehearsal);
  }
}

async function perform(rehearsal: Rehearsal, ports: MailPorts, identity: VerifiedIdentity): Promise<void> {
  const { target, limit } = rehearsal;
  const { server } = target;
  const secureContext = await trustFor(server, ports);
  const tls = { secureContext, checkServerIdentity: identity.check };
  const socket = await timed(rehearsal, () => openTransport(rehearsal, tls));
  const session = new MailSession({ socket, host: server.host, security: server.security, tls }, limit.signal);
  rehearsal.session = session;
  rehearsal.stage = 'greeting';
  await timed(rehearsal, () => session.greet());
  const { user, from, to } = server;
  if (user !== null && server.password !== null) {
    rehearsal.stage = 'login';
    const password = await ports.readSecret(server.password);
    rehearsal.secrets = [password, `\0${user}\0${password}`];
    await timed(rehearsal, () => session.login({ user, pass: password }));
  }
  if (from === null) return;
  rehearsal.stage = 'sender';
  await timed(rehearsal, () => session.mailFrom(from));
  if (to === null) return;
  rehearsal.stage = 'recipient';
  await timed(rehearsal, () => session.rcptTo(to));
}

/** Each step is measured separately, because SMTP clients have a timeout for each step. */
async function timed<T>(rehearsal: Rehearsal, step: () => Promise<T>): Promise<T> {
  const { clock } = rehearsal.ctx;
  rehearsal.stepAt = clock.elapsed();
  const result = await step();
  rehearsal.slowestMs = Math.max(rehearsal.slowestMs, clock.elapsed() - rehearsal.stepAt);
  return result;
}

async function trustFor(
  { applianceCaFile, caFile }: MailServer,
  { trust, fileTrust }: MailPorts,
): Promise<SecureContext> {
  const file = applianceCaFile ?? caFile;
  if (file === null) return trust;
  try {
    return await fileTrust.contextOf(file);
  } catch (error) {
    throw new ProbeError('internal', `Cannot use the certificates in "${file}": expected a readable PEM file`, {
      cause: error,
    });
  }
}

async function openTransport(rehearsal: Rehearsal, tls: ConnectionOptions): Promise<Socket> {
  const { target, ctx, limit } = rehearsal;
  const { host, port, security } = target.server;
  const { addresses, localError } = target;
  if (addresses.length === 0 && localError !== null)
    throw new ProbeError(localError.reason, `Cannot query any resolver for "${host}": ${localError.message}`);
  if (addresses.length === 0)
    throw new ProbeError('name-not-resolved', `Cannot connect: no resolver returns an address for "${host}"`);
  const socket = await connectToAny(addresses, port, ctx, limit.signal);
  if (security !== 'tls') return socket;
  rehearsal.stage = 'tls';
  const identity = isIP(host) === 0 ? { servername: host } : { host };
  return openTls(socket, { ...tls, ...identity }, limit.signal);
}

/** With more addresses, the time for each address would be too short to distinguish slow from unreachable servers. */
const MAX_TRIED = 3;

/** Allows for two lost SYN packets, which are retransmitted after 1 s and 2 s. */
const CONNECT_LIMIT: Millis = 6000;

/** @throws {ProbeError} for the first address when all attempts fail; the signal's reason when the signal is aborted */
async function connectToAny(
  addresses: readonly string[],
  port: number,
  ctx: ProbeContext,
  signal: AbortSignal,
): Promise<Socket> {
  const tried = addresses.slice(0, MAX_TRIED);
  const errors: ProbeError[] = [];
  for (const address of tried) {
    using attempt = deadline(ctx.clock, CONNECT_LIMIT / tried.length, signal);
    try {
      return await openSocket({ address, port, sourceAddress: ctx.sourceAddress }, attempt.signal);
    } catch (error) {
      signal.throwIfAborted();
      errors.push(aboutAddress(address, port, error));
    }
  }
  // An error on this machine, such as an unsupported address family, does not indicate whether the address accepts
  // connections.
  throw (
    errors.find(({ reason }) => reason === 'internal') ??
    errors.find(({ reason }) => reason !== 'no-route') ??
    errors[0] ??
    new ProbeError('internal', 'The mail server has no address')
  );
}

function aboutAddress(address: string, port: number, error: unknown): ProbeError {
  // EHOSTUNREACH means that there was no ARP reply, or that a router on the path returned an error. Unlike ENETUNREACH,
  // it is not caused by a missing local route.
  const reason = errorCode(error) === 'EHOSTUNREACH' ? 'timeout' : failureReason(error);
  return new ProbeError(reason, `Cannot connect to ${authority({ host: address, port })}: ${failureMessage(error)}`, {
    cause: error,
  });
}

function failed(rehearsal: Rehearsal, error: unknown, durationMs: Millis): MailOutcome {
  const stage = stageOf(rehearsal, error);
  const end = overdueOr(error, rehearsal.limit, (cause) => notFinished(rehearsal, cause));
  return {
    ...failureFrom(end, durationMs, rehearsal.ctx.signal, rehearsal.secrets),
    stage,
    code: error instanceof SmtpError ? error.code : null,
    tlsError: stage === 'tls' ? tlsErrorOf(rehearsal, error) : null,
    ...(error instanceof UnverifiedError && error.issuer !== null ? { issuer: error.issuer } : {}),
  };
}

/**
 * A server is slow but not unresponsive if it replies to each step within FortiAuthenticator's timeout. If that timeout
 * is as long as the rehearsal's limit, half of the limit is used instead.
 */
function notFinished({ target, ctx, longest, stepAt }: Rehearsal, cause: unknown): ProbeError {
  const isLate = ctx.clock.elapsed() - stepAt >= Math.min(target.server.timeout, longest / 2);
  return new ProbeError(isLate ? 'timeout' : 'aborted', `Not completed within ${String(longest)} ms`, { cause });
}

/** Distinguishes between the greeting, EHLO and STARTTLS, which the session treats as one step. */
function stageOf({ stage, session }: Rehearsal, error: unknown): MailStage {
  if (stage !== 'greeting' || session === null) return stage;
  switch (session.step) {
    case 'greeting':
      return 'greeting';
    case 'hello':
      return 'ehlo';
    case 'starttls':
      return error instanceof SmtpError ? 'tls' : 'ehlo';
    case 'handshake':
      return 'tls';
  }
}

function tlsErrorOf({ session }: Rehearsal, error: unknown): string | null {
  if (session !== null && error instanceof SmtpError)
    return session.offers('STARTTLS') ? 'STARTTLS_REFUSED' : 'NO_STARTTLS';
  return errorCode(error);
}

/** Does not wait long if the server no longer responds. */
async function endSession({ session, ctx }: Rehearsal): Promise<void> {
  if (session === null) return;
  using limit = deadline(ctx.clock, QUIT_WAIT, ctx.signal);
  await session.leave(limit.signal);
  session.close();
}

interface FoundAddresses {
  /** Empty if the name does not resolve. */
  readonly addresses: readonly string[];
  /** The failure on this machine that prevented the lookup, or null. */
  readonly localError: Failure | null;
}

/** All addresses are accepted, because an organization's own mail server may have a private address. */
const ANY_ADDRESS = ['0.0.0.0/0', '::/0'];

async function findAddresses({ host }: Pick<HostPort, 'host'>, tools: RoundTools): Promise<FoundAddresses> {
  if (isIP(host) !== 0) return { addresses: [host], localError: null };
  const addressesIn = (seen: readonly DnsObservation[]): readonly string[] => dialledAddresses(seen, ANY_ADDRESS);
  const isEnough = (seen: readonly DnsObservation[]): boolean => addressesIn(seen).length > 0;
  const observations = await askInTurn(host, tools.config.resolvers, { ...tools, isEnough }, tools.ctx);
  const addresses = addressesIn(observations);
  if (addresses.length > 0) return { addresses, localError: null };
  const failures = observations.map(({ a }) => a).filter((reply) => reply.kind === 'failed');
  const couldNotAsk = failures.length === observations.length ? isOfThisMachine : isOwnTrouble;
  return { addresses: [], localError: failures.find(({ reason }) => couldNotAsk(reason)) ?? null };
}
