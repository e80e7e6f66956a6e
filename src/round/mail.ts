import { isIP, type Socket } from 'node:net';
import type { ConnectionOptions, SecureContext } from 'node:tls';
import type { MailServer } from '../config/schema/mail.ts';
import {
  type MailObservation,
  type Failure,
  type MailOutcome,
  type MailStage,
  isOfThisMachine,
  isOwnTrouble,
  type DnsObservation,
} from '../core/observation.ts';
import type { ProbeContext } from '../network/context.ts';
import { deadline, type Deadline } from '../system/clock.ts';
import type { SecretSource } from '../system/secret.ts';
import type { Millis, Clock, EpochMs } from '../core/clock.ts';
import { openTls, UnverifiedError } from '../network/connect.ts';
import { ProbeError, errorCode, failureFrom, printable } from '../network/failure.ts';
import { connectToAny } from '../network/smtp/connect-any.ts';
import { SmtpError } from '../network/smtp/dialogue.ts';
import { MailSession, createVerifiedIdentity, type VerifiedIdentity } from '../network/smtp/session.ts';
import type { FileTrust } from '../network/tls/secure-context.ts';
import type { HostPort } from '../core/addresses.ts';
import type { PathSettings } from '../config/schema/path.ts';
import { askInTurn, type PathTools } from './path.ts';

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

/** For everything from the first SYN to the last reply. */
const MAIL_LIMIT: Millis = 10_000;

/** For RSET and QUIT, when everything is known already. */
const QUIT_WAIT: Millis = 500;

const MAX_GREETING = 200;

/** What the mail probe shares with the whole program. */
export interface MailPorts {
  /** Under which servers without a `caFile` are verified. */
  readonly trust: SecureContext;
  readonly fileTrust: FileTrust;
  /** Reads a secret again, as `readSecret` with the environment filled in. */
  readonly readSecret: (source: SecretSource) => Promise<string>;
  /** For the whole rehearsal, or as long as FortiAuthenticator waits for one answer. @default 10 s */
  readonly limit?: Millis;
}

export interface MailTarget {
  readonly server: MailServer;
  /** Of the server's host, resolved beforehand; none: it does not resolve. */
  readonly addresses: readonly string[];
  /** Our own trouble, for which it could not be resolved. */
  readonly localError: Failure | null;
}

/**
 * Rehearses handing over a message, up to the recipient, and takes it back: nothing is ever sent. Never throws and
 * takes no longer than its limit.
 */
export async function observeMail(target: MailTarget, ports: MailPorts, ctx: ProbeContext): Promise<MailObservation> {
  const { host, port, security, required, timeout } = target.server;
  const identity = createVerifiedIdentity();
  const outcome = await rehearse(target, { ...ports, identity }, ctx);
  return {
    server: `${host.includes(':') ? `[${host}]` : host}:${String(port)}`,
    security,
    required,
    patience: timeout,
    outcome,
    certificateNotAfter: identity.notAfter(),
    ...(target.server.isLoginUnknown === true ? { isLoginUnknown: true } : {}),
    recipientServers: [],
  };
}

interface RehearsalPorts extends MailPorts {
  readonly identity: VerifiedIdentity;
}

/** The state of one rehearsal: how far it has come, and what has to be closed. */
interface Rehearsal {
  readonly target: MailTarget;
  readonly ctx: ProbeContext;
  readonly limit: Deadline;
  stage: MailStage;
  /** The longest that the server let one step wait. */
  slowestMs: Millis;
  /** How long all steps may take together. */
  readonly longest: Millis;
  /** When the step began that goes on now. */
  stepAt: Millis;
  session: MailSession | null;
  /** What must never be shown, should a server echo it. */
  secrets: readonly string[];
}

async function rehearse(target: MailTarget, ports: RehearsalPorts, ctx: ProbeContext): Promise<MailOutcome> {
  const startedAt = ctx.clock.elapsed();
  const longest = Math.max(ports.limit ?? MAIL_LIMIT, target.server.timeout);
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
    await perform(rehearsal, ports);
    const greeting = printable(rehearsal.session?.greeting ?? '', MAX_GREETING);
    const { slowestMs } = rehearsal;
    return { kind: 'accepted', durationMs: ctx.clock.elapsed() - startedAt, slowestMs, greeting };
  } catch (error) {
    return failed(rehearsal, error, ctx.clock.elapsed() - startedAt);
  } finally {
    await takeLeave(rehearsal);
  }
}

async function perform(rehearsal: Rehearsal, ports: RehearsalPorts): Promise<void> {
  const { target, limit } = rehearsal;
  const { server } = target;
  const secureContext = await trustFor(server, ports);
  const tls = { secureContext, checkServerIdentity: ports.identity.check };
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

/** Clients limit each step by itself, not the whole. */
async function timed<T>(rehearsal: Rehearsal, step: () => Promise<T>): Promise<T> {
  const { clock } = rehearsal.ctx;
  rehearsal.stepAt = clock.elapsed();
  const result = await step();
  rehearsal.slowestMs = Math.max(rehearsal.slowestMs, clock.elapsed() - rehearsal.stepAt);
  return result;
}

async function trustFor({ caFile }: MailServer, { trust, fileTrust }: MailPorts): Promise<SecureContext> {
  if (caFile === null) return trust;
  try {
    return await fileTrust.contextOf(caFile);
  } catch (error) {
    throw new ProbeError('internal', `Cannot use the certificates in "${caFile}": expected a readable PEM file`, {
      cause: error,
    });
  }
}

async function openTransport(rehearsal: Rehearsal, tls: ConnectionOptions): Promise<Socket> {
  const { target, ctx, limit } = rehearsal;
  const { host, port, security } = target.server;
  const { addresses, localError } = target;
  if (addresses.length === 0 && localError !== null)
    throw new ProbeError(localError.reason, `No resolver could be asked for "${host}": ${localError.message}`);
  if (addresses.length === 0)
    throw new ProbeError('name-not-resolved', `Cannot connect: no resolver gives an address for "${host}"`);
  const socket = await connectToAny(addresses, port, ctx, limit.signal);
  if (security !== 'tls') return socket;
  rehearsal.stage = 'tls';
  const identity = isIP(host) === 0 ? { servername: host } : { host };
  return openTls(socket, { ...tls, ...identity }, limit.signal);
}

function failed(rehearsal: Rehearsal, error: unknown, durationMs: Millis): MailOutcome {
  const stage = stageOf(rehearsal, error);
  const overdue = rehearsal.limit.expired() && !(error instanceof ProbeError);
  return {
    ...failureFrom(
      overdue ? notFinished(rehearsal, error) : error,
      durationMs,
      rehearsal.ctx.signal,
      rehearsal.secrets,
    ),
    stage,
    code: error instanceof SmtpError ? error.code : null,
    tlsError: stage === 'tls' ? tlsErrorOf(rehearsal, error) : null,
    ...(error instanceof UnverifiedError && error.issuer !== null ? { issuer: error.issuer } : {}),
  };
}

/**
 * A server that answers each step while FortiAuthenticator would still wait is not silent, however long it all takes.
 * Of one that FortiAuthenticator waits as long for as this rehearsal does, half of that is enough.
 */
function notFinished({ target, ctx, longest, stepAt }: Rehearsal, cause: unknown): ProbeError {
  const isLate = ctx.clock.elapsed() - stepAt >= Math.min(target.server.timeout, longest / 2);
  return new ProbeError(isLate ? 'timeout' : 'aborted', `Not finished within ${String(longest)} ms`, { cause });
}

/** Greeting, EHLO and STARTTLS are one step for a client. */
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

/** A server that was spoken to is told that this is the end; one that fell silent is not waited for. */
async function takeLeave({ session, ctx }: Rehearsal): Promise<void> {
  if (session === null) return;
  using limit = deadline(ctx.clock, QUIT_WAIT, ctx.signal);
  await session.leave(limit.signal);
  session.close();
}

/** Whom a server has let in once, it lets in for long: what was measured says something of others for as long. */
const KEPT: Millis = 24 * 3_600_000;

/** How long mail servers put this machine off with "come back later" (greylisting), over the rounds. */
export interface MailDeferrals {
  /**
   * What is known of one after another look: from the first refusal until it took the message, or until now. Null: it
   * never put anybody off.
   */
  note(server: string, outcome: MailOutcome): Millis | null;
}

interface Deferral {
  readonly since: EpochMs;
  /** null: it goes on. */
  readonly until: EpochMs | null;
}

export function createMailDeferrals({ now }: Pick<Clock, 'now'>): MailDeferrals {
  const deferrals = new Map<string, Deferral>();
  return {
    note: (server, outcome) => {
      const next = nextDeferral(deferrals.get(server) ?? null, outcome, now());
      if (next === null) {
        deferrals.delete(server);
        return null;
      }
      deferrals.set(server, next);
      return (next.until ?? now()) - next.since;
    },
  };
}

function nextDeferral(before: Deferral | null, outcome: MailOutcome, at: EpochMs): Deferral | null {
  const open = before?.until === null ? before : null;
  const over = open === null ? before : null;
  if (outcome.kind === 'accepted') return open === null ? whileKept(over, at) : { ...open, until: at };
  if (isPutOff(outcome)) return open ?? { since: at, until: null };
  // A server that was lost meanwhile, or refuses for good, did not put off: when it would have taken it is not known.
  return over;
}

function whileKept(over: Deferral | null, at: EpochMs): Deferral | null {
  return over !== null && at - (over.until ?? at) <= KEPT ? over : null;
}

/** RFC 5321 §4.2.1: 4yz asks to come back later. */
function isPutOff({ reason, stage, code }: Extract<MailOutcome, { kind: 'failed' }>): boolean {
  const isTemporary = code !== null && code >= 400 && code < 500;
  return reason === 'rejected' && isTemporary && (stage === 'sender' || stage === 'recipient');
}

export type FindTools = Pick<PathTools, 'askName' | 'acceptable'>;

export type Resolving = Pick<PathSettings, 'resolvers'>;

interface FoundAddresses {
  /** None: the name does not resolve. */
  readonly addresses: readonly string[];
  /** The fault of this machine for which it could not be resolved. */
  readonly localError: Failure | null;
}

/** A mail server of your own may well have a private address. */
const ANY_ADDRESS = ['0.0.0.0/0', '::/0'];

/** Asks one resolver after the other until one knows the mail server. */
export async function findAddresses(
  { host }: Pick<HostPort, 'host'>,
  { resolvers }: Resolving,
  tools: FindTools,
  ctx: ProbeContext,
): Promise<FoundAddresses> {
  if (isIP(host) !== 0) return { addresses: [host], localError: null };
  const addressesIn = (seen: readonly DnsObservation[]): readonly string[] => tools.acceptable(seen, ANY_ADDRESS);
  const isEnough = (seen: readonly DnsObservation[]): boolean => addressesIn(seen).length > 0;
  const observations = await askInTurn(host, resolvers, { ...tools, isEnough }, ctx);
  const addresses = addressesIn(observations);
  if (addresses.length > 0) return { addresses, localError: null };
  const failures = observations.map(({ a }) => a).filter((reply) => reply.kind === 'failed');
  const couldNotAsk = failures.length === observations.length ? isOfThisMachine : isOwnTrouble;
  return { addresses: [], localError: failures.find(({ reason }) => couldNotAsk(reason)) ?? null };
}
