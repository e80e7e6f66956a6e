import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import type { SMTPServerOptions } from 'smtp-server';
import { chainPem } from '../../../src/demo/lab/identity.ts';
import type { Identity } from '../../../src/demo/lab/identity.ts';

export interface MailServerOptions {
  readonly security: 'starttls' | 'tls' | 'none';
  readonly identity?: Identity;
  readonly issuers?: readonly Identity[];
  /** If set, a login is required. */
  readonly credentials?: { readonly user: string; readonly password: string };
  /** SMTP code for rejecting MAIL FROM. */
  readonly refuseSender?: number;
  /** SMTP code for rejecting RCPT TO. */
  readonly refuseRecipient?: number;
}

/** A real mail server (smtp-server) on 127.0.0.1 that offers PIPELINING and accepts messages. */
export interface MailServer extends AsyncDisposable {
  readonly port: number;
  /** All command lines received, in order, without credentials. */
  readonly commands: readonly string[];
  /** Number of messages received. */
  readonly messages: () => number;
}

export async function createMailServer(options: MailServerOptions): Promise<MailServer> {
  const commands: string[] = [];
  let messages = 0;
  const server = new SMTPServer({
    ...baseOptions(options),
    logger: recorder(commands),
    onMailFrom: (_address, _session, done) => {
      done(refusal(options.refuseSender));
    },
    onRcptTo: (_address, _session, done) => {
      done(refusal(options.refuseRecipient));
    },
    onData: (stream, _session, done) => {
      messages += 1;
      stream.resume();
      stream.once('end', () => {
        done(null);
      });
    },
  });
  // Handshakes fail on purpose.
  server.on('error', () => {});
  const listener = server.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    commands,
    messages: () => messages,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  };
}

function baseOptions({ security, identity, issuers = [], credentials }: MailServerOptions): SMTPServerOptions {
  return {
    secure: security === 'tls',
    ...(identity === undefined ? {} : { key: identity.keyPem, cert: chainPem(identity, ...issuers) }),
    disabledCommands: [
      ...(security === 'starttls' ? [] : ['STARTTLS']),
      ...(credentials === undefined ? ['AUTH'] : []),
    ],
    allowInsecureAuth: true,
    authOptional: credentials === undefined,
    closeTimeout: 100,
    onAuth: ({ username, password }, _session, done) => {
      if (username === credentials?.user && password === credentials?.password) done(null, { user: username });
      else done(new Error(`Authentication failed for ${String(password)}`));
    },
  };
}

/** Records the commands that smtp-server logs, in which passwords are hidden. */
function recorder(
  commands: string[],
): Record<'debug' | 'info' | 'warn' | 'error' | 'trace' | 'fatal', (...args: unknown[]) => void> {
  const ignore = (): void => {};
  return {
    debug: (_entry, side, line) => {
      if (side === 'C:' && typeof line === 'string') commands.push(line.trim());
    },
    info: ignore,
    warn: ignore,
    error: ignore,
    trace: ignore,
    fatal: ignore,
  };
}

function refusal(code: number | undefined): Error | null {
  return code === undefined ? null : Object.assign(new Error('not today'), { responseCode: code });
}
