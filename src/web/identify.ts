import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Logger } from 'pino';
import type { Context, MiddlewareHandler } from 'hono';
import type { Role, WebConfig } from '../config/schema/web.ts';
import { readSecret, type SecretSource } from '../system/secret.ts';
import type { Clock, Millis } from '../core/clock.ts';
import { verifiedPeerNames } from '../network/tls/served-certificate.ts';
import { allOrProblems, messageOf } from '../text/message-of.ts';
import { keepSecret, createLogin } from './login.ts';
import { visibleText } from '../core/visible-text.ts';
import type { Serving, WebEnv } from './sources.ts';

interface Identity {
  readonly name: string;
  readonly role: Role;
}

/** `name` is the user name if a password was checked. `later` means that the login could not be checked yet. */
type Identified =
  | { readonly kind: 'known'; readonly identity: Identity }
  | { readonly kind: 'refused'; readonly name: string | null }
  | { readonly kind: 'later'; readonly retryAfter: Millis };

export type Identify = (request: IncomingMessage) => Promise<Identified>;

export interface IdentifyDeps {
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'warn'>;
  /** Can contain secrets. */
  readonly env: NodeJS.ProcessEnv;
  /** Reloads the client CAs, and closes connections whose client certificates are no longer trusted. */
  readonly refreshAuthorities: () => Promise<void>;
}

type Credentials = Pick<WebConfig, 'users' | 'tokens' | 'certificates' | 'proxy'>;

/** The name is stored with every change that the user makes. */
const LONGEST_NAME = 255;
const REFUSED: Identified = { kind: 'refused', name: null };

export function hasCredentials({ users, tokens, certificates, proxy }: Credentials): boolean {
  return users.length + tokens.length + certificates.length > 0 || proxy !== null;
}

/**
 * Checks a client certificate, the user name from the configured proxy, a bearer token (RFC 6750), and a user name
 * with a password (RFC 7617), in this order. The proxy's header is ignored unless the proxy authenticates itself.
 * Secrets are read again for each request. If a secret cannot be read, its previous value stays active.
 * @throws {Error} that lists each secret that cannot be used at startup, one per line
 */
export async function createIdentify(config: Credentials, deps: IdentifyDeps): Promise<Identify> {
  const [byProxy, byToken, byPassword] = await allOrProblems([
    createProxyCheck(config.proxy, deps),
    createTokenCheck(config.tokens, deps),
    createPasswordCheck(config.users, deps),
  ]);
  return async (request) => {
    const names = await trustedNames(request, deps);
    const byCertificate = config.certificates.find(({ name }) => names.includes(name));
    if (byCertificate !== undefined) return known(byCertificate);
    const proxied = await byProxy(request, names);
    if (proxied !== null) return proxied;
    const [, scheme = '', value = ''] = /^(\S+) +(\S+) *$/u.exec(request.headers.authorization ?? '') ?? [];
    switch (scheme.toLowerCase()) {
      case 'bearer':
        return byToken(value);
      case 'basic':
        return byPassword(Buffer.from(value, 'base64').toString('utf8'), request.socket.remoteAddress);
      default:
        return REFUSED;
    }
  };
}

/** Empty unless a currently trusted CA signed the client certificate. */
async function trustedNames({ socket }: IncomingMessage, deps: IdentifyDeps): Promise<readonly string[]> {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return [];
  await deps.refreshAuthorities();
  return socket.destroyed ? [] : verifiedPeerNames(socket);
}

/** The result is null if the proxy is not authenticated. */
async function createProxyCheck(proxy: Credentials['proxy'], deps: IdentifyDeps) {
  const isSecret =
    proxy === null || proxy.secret === null ? null : await keepShown('the secret of web.proxy', proxy.secret, deps);
  return async ({ headers }: IncomingMessage, names: readonly string[]): Promise<Identified | null> => {
    if (proxy === null || (proxy.certificate !== null && !names.includes(proxy.certificate))) return null;
    const [name, secret] = [proxy.userHeader, proxy.secretHeader].map((header) => headers[header.toLowerCase()]);
    if (typeof name !== 'string' || name === '' || name.length > LONGEST_NAME) return null;
    const isProxy = isSecret === null || (await isSecret(typeof secret === 'string' ? secret : ''));
    return isProxy ? known({ name, role: proxy.role }) : null;
  };
}

async function createTokenCheck(tokens: Credentials['tokens'], deps: IdentifyDeps) {
  const kept = await allOrProblems(
    tokens.map(async ({ name, role, token }) => ({
      name,
      role,
      isShown: await keepShown(`the token "${name}"`, token, deps),
    })),
  );
  return async (shown: string): Promise<Identified> => {
    for (const { isShown, ...identity } of kept) if (await isShown(shown)) return known(identity);
    return REFUSED;
  };
}

async function createPasswordCheck(users: Credentials['users'], deps: IdentifyDeps) {
  const login = users.length === 0 ? null : await createLogin(users, deps);
  const roles = new Map(users.map(({ name, role }) => [name, role]));
  return async (pair: string, address: string | undefined): Promise<Identified> => {
    const colon = pair.indexOf(':');
    if (login === null || colon < 0) return REFUSED;
    const name = pair.slice(0, colon);
    const outcome = await login.check(name, pair.slice(colon + 1), address);
    if (outcome.kind === 'later') return outcome;
    const role = roles.get(name);
    return outcome.kind === 'accepted' && role !== undefined ? known({ name, role }) : { kind: 'refused', name };
  };
}

async function keepShown(
  what: string,
  source: SecretSource,
  { logger, env }: IdentifyDeps,
): Promise<(shown: string) => Promise<boolean>> {
  const secret = await keepSecret(
    () => readShown(what, source, env),
    (problem) => logger.warn({ event: 'secret-not-loaded' }, `${problem}. The previous value stays active`),
  );
  return async (shown) => isSame(shown, await secret());
}

function known({ name, role }: Identity): Identified {
  return { kind: 'known', identity: { name, role } };
}

/** @throws {Error} with the name of the secret */
async function readShown(what: string, source: SecretSource, env: NodeJS.ProcessEnv): Promise<string> {
  try {
    const secret = await readSecret(source, env);
    // Values with other characters cannot be sent in a header, so they would never match.
    if (/^[\x21-\x7E]+$/u.test(secret)) return secret;
    throw new RangeError('expected one line of printable ASCII without spaces');
  } catch (error) {
    throw new Error(`Cannot use ${what}: ${messageOf(error)}`, { cause: error });
  }
}

/** Runs in constant time, so that the duration does not reveal a secret. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

const MAX_SHOWN_NAME = 64;
const LOG_INTERVAL: Millis = 60_000;

/**
 * Refused logins are logged, because someone may be guessing passwords. The number of messages is limited, because the
 * number of logins is limited.
 */
export function authenticate(identify: Identify, { sources, clock, logger }: Serving): MiddlewareHandler<WebEnv> {
  const noteTurnedAway = createRejectionLog(clock, logger);
  return async (context, next) => {
    const { incoming } = context.env;
    const from = incoming.socket.remoteAddress;
    const identified = await identify(incoming);
    switch (identified.kind) {
      case 'known':
        sources.noteLogin('accepted');
        context.set('caller', { ...identified.identity, address: from ?? null });
        await next();
        return undefined;
      case 'refused':
        // Browsers first send a request without credentials to find out which schemes are accepted.
        if (incoming.headers.authorization === undefined) return unauthorized(context);
        sources.noteLogin('refused');
        // Wrong tokens are counted but not logged, because a client can send any number of them at no cost to itself.
        if (identified.name !== null)
          logger.warn(
            { event: 'login-refused', user: visibleText(identified.name, MAX_SHOWN_NAME), from },
            'Refused a login to the status page',
          );
        return unauthorized(context);
      case 'later':
        sources.noteLogin('limited');
        noteTurnedAway(from);
        return context.text('Too many logins. Try again in a few seconds\n', 429, {
          'Retry-After': String(Math.ceil(identified.retryAfter / 1000)),
        });
    }
  };
}

function unauthorized(context: Context): Response {
  return context.text('Log in with a name and password from web.users, or with other configured credentials\n', 401, {
    'WWW-Authenticate': 'Basic realm="ftm-watch", charset="UTF-8"',
  });
}

function createRejectionLog(clock: Clock, logger: Logger): (from: string | undefined) => void {
  let loggedAt: Millis | null = null;
  let unlogged = 0;
  return (from) => {
    unlogged += 1;
    const now = clock.elapsed();
    if (loggedAt !== null && now - loggedAt < LOG_INTERVAL) return;
    logger.warn(
      { event: 'logins-limited', from, turnedAway: unlogged },
      'Rejecting logins to the status page, because too many logins failed or are pending',
    );
    loggedAt = now;
    unlogged = 0;
  };
}
