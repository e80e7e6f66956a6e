import { once } from 'node:events';
import { SMTPServer } from 'smtp-server';
import { credentialsOf } from './identity.ts';
import type { Identity } from './identity.ts';

export type MailFault = 'none' | 'refuse-login' | 'refuse-recipient' | 'not-now';

export interface LabMail {
  readonly to: readonly string[];
  readonly subject: string;
  /** `X-FTM-Watch-Event` and `X-FTM-Watch-Cause`; '' if missing. */
  readonly event: string;
  readonly cause: string;
  readonly raw: string;
}

/** A mail server that keeps all mails. */
export interface MailHost extends AsyncDisposable {
  readonly port: number;
  readonly mails: readonly LabMail[];
  setFault(fault: MailFault): void;
  /** Resolves with the first mail that matches, among received and future ones. */
  mail(isMeant: (mail: LabMail) => boolean, signal: AbortSignal): Promise<LabMail>;
}

export interface MailHostOptions {
  /** If set, STARTTLS is offered. */
  readonly identity?: Identity;
  readonly login?: { readonly user: string; readonly password: string };
  /** @default 127.0.0.1 and a port assigned by the operating system */
  readonly listen?: { readonly address: string; readonly port: number };
}

const TOO_LARGE = 1024 * 1024;

export async function createMailHost({
  identity,
  login,
  listen: { address: own, port } = { address: '127.0.0.1', port: 0 },
}: MailHostOptions = {}): Promise<MailHost> {
  let fault: MailFault = 'none';
  const mails: LabMail[] = [];
  const waiting = new Set<() => void>();
  const server = new SMTPServer({
    ...(identity === undefined ? {} : credentialsOf(identity)),
    disabledCommands: [...(identity === undefined ? ['STARTTLS'] : []), ...(login === undefined ? ['AUTH'] : [])],
    authOptional: login === undefined,
    disableReverseLookup: true,
    closeTimeout: 100,
    size: TOO_LARGE,
    onAuth: ({ username, password }, _session, done) => {
      const accepted = fault !== 'refuse-login' && username === login?.user && password === login?.password;
      if (accepted) done(null, { user: username });
      else done(refusal(535, '5.7.8 authentication failed'));
    },
    onMailFrom: (_address, _session, done) => {
      done(fault === 'not-now' ? refusal(451, '4.3.0 try again later') : null);
    },
    onRcptTo: ({ address }, _session, done) => {
      done(
        fault === 'refuse-recipient'
          ? refusal(550, `5.1.1 <${address}>: Recipient address rejected: User unknown`)
          : null,
      );
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.once('end', () => {
        mails.push(read(Buffer.concat(chunks).toString('utf8'), session.envelope.rcptTo));
        done(null);
        for (const wake of waiting) wake();
      });
    },
  });
  // A client that hangs up is not a fault of the server.
  server.on('error', () => undefined);
  const listener = server.listen(port, own);
  await once(listener, 'listening');
  const address = listener.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    mails,
    setFault: (next) => {
      fault = next;
    },
    mail: (isMeant, signal) =>
      new Promise((resolve, reject) => {
        const end = (): void => {
          waiting.delete(look);
          signal.removeEventListener('abort', giveUp);
        };
        const giveUp = (): void => {
          end();
          reject(signal.reason instanceof Error ? signal.reason : new Error('Aborted', { cause: signal.reason }));
        };
        const look = (): void => {
          const found = mails.find(isMeant);
          if (found === undefined) return;
          end();
          resolve(found);
        };
        waiting.add(look);
        signal.addEventListener('abort', giveUp, { once: true });
        look();
      }),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  };
}

function refusal(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode });
}

function read(raw: string, recipients: readonly { readonly address: string }[]): LabMail {
  const [head = ''] = raw.split('\r\n\r\n');
  const lines = head.replaceAll(/\r\n[ \t]+/gu, ' ').split('\r\n');
  const header = (name: string): string =>
    lines.find((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}: `))?.slice(name.length + 2) ?? '';
  return {
    to: recipients.map(({ address }) => address),
    subject: decodedWords(header('Subject')),
    event: header('X-FTM-Watch-Event'),
    cause: header('X-FTM-Watch-Cause'),
    raw,
  };
}

/** Decodes RFC 2047 "Q" encoding in UTF-8, which nodemailer sends. */
function decodedWords(value: string): string {
  return value.replaceAll(/=\?UTF-8\?Q\?([^?]*)\?=(?:\s+(?==\?))?/giu, (_word, text: string) =>
    decodeURIComponent(
      text
        .replaceAll('_', ' ')
        .replaceAll('%', '%25')
        .replaceAll(/=([0-9A-F]{2})/giu, '%$1'),
    ),
  );
}
