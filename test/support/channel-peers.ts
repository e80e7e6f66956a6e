import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import type { SmtpSink } from './smtp-sink.ts';
import { jsonReceiver, type ReceivedPost } from './json-receiver.ts';
import { smtpSink } from './smtp-sink.ts';

/** A message as the peer of a channel accepted it. */
export interface Accepted {
  readonly channel: string;
  /** What a receiver can tell a repetition by, as the documentation has it; null: nothing. */
  readonly key: string | null;
  /** It tells that the process was restarted. */
  readonly isRestart: boolean;
}

/** A peer on loopback for each channel of messages. */
export interface ChannelPeers extends AsyncDisposable {
  /** The section `notify` of a configuration that sends everything to them. */
  readonly notify: Readonly<Record<string, unknown>>;
  /** In order. */
  readonly accepted: readonly Accepted[];
  readonly relay: SmtpSink;
}

const CHANNEL_OF: Readonly<Record<string, string>> = {
  '/webhook': 'webhook',
  '/slack': 'slack',
  '/teams': 'teams',
  '/pagerduty': 'pagerduty',
  // JSON is published at the root, with the topic in it.
  '/': 'ntfy',
};

export async function channelPeers(): Promise<ChannelPeers> {
  await using stack = new AsyncDisposableStack();
  const accepted: Accepted[] = [];
  function accept(channel: string, key: string | null, text: string): void {
    accepted.push({ channel, key, isRestart: text.includes('RESTARTED') });
  }
  const relay = stack.use(
    await smtpSink({
      message: ({ headers, raw }) => {
        accept('email', headers.get('message-id') ?? '', raw);
        return null;
      },
    }),
  );
  const posts = stack.use(
    await jsonReceiver((post) => {
      accept(CHANNEL_OF[post.path] ?? post.path, keyOf(post), post.text.replace('"event":"restart"', 'RESTARTED'));
      return post.path === '/pagerduty' ? 202 : 200;
    }),
  );
  const syslog = stack.use(
    await syslogReceiver((line) => accept('syslog', / id="([^"]*)"/u.exec(line)?.[1] ?? '', line)),
  );
  const owned = stack.move();
  return {
    accepted,
    relay,
    notify: {
      email: {
        from: 'ftm-watch@example.test',
        to: ['ops@example.test'],
        servers: [{ host: '127.0.0.1', port: relay.port, security: 'none' }],
      },
      webhooks: [{ url: `${posts.url}/webhook` }],
      slack: [{ name: 'ops', url: `${posts.url}/slack` }],
      teams: [{ name: 'ops', url: `${posts.url}/teams` }],
      pagerduty: [{ name: 'ops', url: `${posts.url}/pagerduty`, routingKeyEnv: 'SET_SECRET' }],
      ntfy: [{ name: 'ops', url: `${posts.url}/ftm-watch` }],
      syslog: [{ name: 'siem', host: '127.0.0.1', port: syslog.port, transport: 'tcp' }],
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function keyOf({ path, body }: ReceivedPost): string | null {
  if (path === '/webhook') return (body as { readonly id: string }).id;
  if (path !== '/pagerduty') return null;
  const { event_action: action, dedup_key: key } = body as {
    readonly event_action: string;
    readonly dedup_key: string;
  };
  return `${action} ${key}`;
}

/** Takes connections to their end, with a line of RFC 5424 behind its length in each. */
async function syslogReceiver(onLine: (line: string) => void): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer((socket) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('end', () =>
      text
        .split(/(?<=^|\n?)\d+ (?=<\d+>1 )/u)
        .slice(1)
        .forEach(onLine),
    );
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}
