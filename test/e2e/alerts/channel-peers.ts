import { createServer } from 'node:net';
import { listening, type Listening } from '../../../src/demo/lab/listening.ts';
import type { MailServer } from '../../support/mail/mail-server.ts';
import { POSTING_CHANNELS, postingSections } from '../../support/notify/posting-channels.ts';
import { jsonReceiver, type ReceivedPost } from '../../support/notify/json-receiver.ts';
import { createMailServer } from '../../support/mail/mail-server.ts';

/** A message accepted by the peer of a channel. */
export interface Accepted {
  readonly channel: string;
  /** The documented key by which a receiver can recognise duplicates; null: none. */
  readonly key: string | null;
  /** The message reports a restart of the process. */
  readonly isRestart: boolean;
}

/** A peer on loopback for each message channel. */
export interface ChannelPeers extends AsyncDisposable {
  /** The section `notify` of a configuration that sends everything to these peers. */
  readonly notify: Readonly<Record<string, unknown>>;
  /** In order of arrival. */
  readonly accepted: readonly Accepted[];
  readonly relay: MailServer;
}

// ntfy accepts JSON only at the root. The JSON contains the topic.
const PATHS = new Map(POSTING_CHANNELS.map((channel) => [channel === 'ntfy' ? '/' : `/${channel}`, channel]));

export async function channelPeers(): Promise<ChannelPeers> {
  await using stack = new AsyncDisposableStack();
  const accepted: Accepted[] = [];
  function accept(channel: string, key: string | null, text: string): void {
    accepted.push({ channel, key, isRestart: text.includes('RESTARTED') });
  }
  const relay = stack.use(
    await createMailServer({
      message: ({ headers, raw }) => {
        accept('email', headers.get('message-id') ?? '', raw);
        return null;
      },
    }),
  );
  const posts = stack.use(
    await jsonReceiver((post) => {
      accept(PATHS.get(post.path) ?? post.path, keyOf(post), post.text.replace('"event":"restart"', 'RESTARTED'));
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
      ...postingSections((id) => `${posts.url}/${id}`),
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

/** Reads each connection until it closes. Every connection carries RFC 5424 lines with a length prefix. */
function syslogReceiver(onLine: (line: string) => void): Promise<Listening> {
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
  });
  return listening(server);
}
