import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { chainPem, type Identity } from '../../../src/demo/lab/identity.ts';

export interface SmtpReply {
  readonly code: number;
  readonly text: string;
}

export interface ReceivedMail {
  readonly recipients: readonly string[];
  /** Lower-case names, unfolded values. */
  readonly headers: ReadonlyMap<string, string>;
  readonly raw: string;
  /** Whether it was received over TLS. */
  readonly secure: boolean;
}

/** Each function returns the reply with which the server rejects something; null: it is accepted. */
export interface MailServerOptions {
  /** @default none */
  readonly security?: 'starttls' | 'tls' | 'none';
  /** Certificates in the order in which they are sent. */
  readonly chain?: readonly [Identity, ...Identity[]];
  /** If set, a login is required. */
  readonly login?: (user: string, password: string) => SmtpReply | null;
  readonly recipient?: (address: string) => SmtpReply | null;
  /** The reply is sent when the returned promise resolves. */
  readonly message?: (mail: ReceivedMail) => SmtpReply | null | Promise<SmtpReply | null>;
  /** 0 selects any free port. */
  readonly port?: number;
}

/** A real mail server (smtp-server) on 127.0.0.1 that offers PIPELINING and keeps all mails. */
export interface MailServer extends AsyncDisposable {
  readonly port: number;
  readonly mails: readonly ReceivedMail[];
  /** Requested recipients, accepted or not. */
  readonly asked: readonly string[];
  /** All command lines received, in order, without credentials. */
  readonly commands: readonly string[];
  /** Waits until this many mails have arrived. */
  arrived(count: number): Promise<readonly ReceivedMail[]>;
}

export async function createMailServer(options: MailServerOptions = {}): Promise<MailServer> {
  const [asked, commands]: [string[], string[]] = [[], []];
  const mails: ReceivedMail[] = [];
  const waiting = new Set<() => void>();
  const server = new SMTPServer({
    ...baseOptions(options),
    logger: recorder(commands),
    onRcptTo({ address }, _session, done) {
      asked.push(address);
      done(refusal(options.recipient?.(address) ?? null));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => void take());
      async function take(): Promise<void> {
        const raw = Buffer.concat(chunks).toString('utf8');
        const recipients = session.envelope.rcptTo.map(({ address }) => address);
        const mail = { raw, headers: headersOf(raw), recipients, secure: session.secure };
        const reply = (await options.message?.(mail)) ?? null;
        if (reply === null) mails.push(mail);
        done(refusal(reply));
        for (const wake of waiting) wake();
      }
    },
  });
  // A client that hangs up or does not trust the certificate is not a fault of the server.
  server.on('error', () => undefined);
  const listener = server.listen(options.port ?? 0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    mails,
    asked,
    commands,
    arrived: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (mails.length < count) return;
          waiting.delete(look);
          resolve(mails);
        };
        waiting.add(look);
        look();
      }),
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(resolve)),
  };
}

function baseOptions({ security = 'none', chain, login }: MailServerOptions): SMTPServerOptions {
  return {
    secure: security === 'tls',
    ...(chain === undefined ? {} : { key: chain[0].keyPem, cert: chainPem(...chain) }),
    disabledCommands: [...(security === 'starttls' ? [] : ['STARTTLS']), ...(login === undefined ? ['AUTH'] : [])],
    disableReverseLookup: true,
    allowInsecureAuth: true,
    authOptional: login === undefined,
    closeTimeout: 100,
    onAuth: ({ username, password }, _session, done) => {
      const refused = refusal(login?.(username ?? '', password ?? '') ?? null);
      done(refused, refused === null ? { user: username } : undefined);
    },
  };
}

/** Records the commands that smtp-server logs, in which passwords are hidden. */
function recorder(
  commands: string[],
): Record<'debug' | 'info' | 'warn' | 'error' | 'trace' | 'fatal', (...args: unknown[]) => void> {
  const ignore = (): void => {};
  const debug = (_entry: unknown, side: unknown, line: unknown): void => {
    if (side === 'C:' && typeof line === 'string') commands.push(line.trim());
  };
  return { debug, info: ignore, warn: ignore, error: ignore, trace: ignore, fatal: ignore };
}

function refusal(reply: SmtpReply | null): Error | null {
  return reply === null ? null : Object.assign(new Error(reply.text), { responseCode: reply.code });
}

function headersOf(raw: string): ReadonlyMap<string, string> {
  const [head = ''] = raw.split('\r\n\r\n');
  const unfolded = head.replaceAll(/\r\n[ \t]+/gu, ' ').split('\r\n');
  return new Map(
    unfolded.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
}

/** Accepts one login. The refusal quotes the password, as that of some servers does. */
export function oneLogin(user: string, password: string): NonNullable<MailServerOptions['login']> {
  return (givenUser, given) =>
    givenUser === user && given === password ? null : { code: 535, text: `Authentication failed for ${given}` };
}

/** The section `notify.email` for one mail server on loopback. */
export function emailBy({ port }: { readonly port: number }, ...to: readonly string[]) {
  return {
    from: 'ftm-watch@example.test',
    to: to.length === 0 ? ['ops@example.test'] : to,
    servers: [{ host: '127.0.0.1', port, security: 'none' }],
  };
}
