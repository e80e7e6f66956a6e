import { once } from 'node:events';
import { SMTPServer } from 'smtp-server';
import type { SMTPServerOptions } from 'smtp-server';

export interface SunkMail {
  readonly recipients: readonly string[];
  /** Lower-case names, unfolded values. */
  readonly headers: ReadonlyMap<string, string>;
  readonly raw: string;
  /** Whether it was received over TLS. */
  readonly secure: boolean;
}

export interface SmtpReply {
  readonly code: number;
  readonly text: string;
}

/** A mail server on loopback that keeps all mails. The test decides the replies to recipients and messages. */
export interface SmtpSink extends AsyncDisposable {
  readonly port: number;
  readonly mails: SunkMail[];
  /** Requested recipients, accepted or not. */
  readonly asked: string[];
  /** Waits until this many mails have arrived. */
  arrived(count: number): Promise<readonly SunkMail[]>;
}

export interface SinkBehaviour {
  readonly recipient?: (address: string) => SmtpReply | null;
  /** The reply is sent when the returned promise resolves. */
  readonly message?: (mail: SunkMail) => SmtpReply | null | Promise<SmtpReply | null>;
  readonly options?: SMTPServerOptions;
  /** 0 selects any free port. */
  readonly port?: number;
}

export async function smtpSink(behaviour: SinkBehaviour = {}): Promise<SmtpSink> {
  const mails: SunkMail[] = [];
  const asked: string[] = [];
  const waiting = new Set<() => void>();
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 200,
    ...behaviour.options,
    onRcptTo({ address }, _session, done) {
      asked.push(address);
      done(refusal(behaviour.recipient?.(address) ?? null));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => void take());
      async function take(): Promise<void> {
        const raw = Buffer.concat(chunks).toString('utf8');
        const mail = {
          raw,
          headers: headersOf(raw),
          recipients: session.envelope.rcptTo.map(({ address }) => address),
          secure: session.secure,
        };
        const reply = (await behaviour.message?.(mail)) ?? null;
        if (reply === null) mails.push(mail);
        done(refusal(reply));
        for (const wake of waiting) wake();
      }
    },
  });
  // A client that hangs up is not a fault of the sink.
  server.on('error', () => undefined);
  const listener = server.listen(behaviour.port ?? 0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    mails,
    asked,
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
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  };
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
