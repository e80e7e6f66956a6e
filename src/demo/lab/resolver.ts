import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type Answer, decode, type DecodedPacket, encode, type Packet } from 'dns-packet';

/** How the resolver falsifies one name. All other names are answered correctly. */
export type ResolverFault =
  | { readonly kind: 'none' }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'server-failure' }
  | { readonly kind: 'silent' }
  /** A different address, as sent by filters and captive portals. */
  | { readonly kind: 'answer'; readonly address: string };

export interface Resolver extends AsyncDisposable {
  /** UDP port on 127.0.0.1. */
  readonly port: number;
  setFault(name: string, fault: ResolverFault): void;
}

const TTL = 5;
/** Recursion is desired and available. */
const FLAGS = 0x0180;
const SERVER_FAILURE = 2;
const NAME_ERROR = 3;

/** Starts a resolver on loopback that resolves these names to 127.0.0.1. */
export async function createResolver(names: readonly string[]): Promise<Resolver> {
  const faults = new Map<string, ResolverFault>();
  const socket = createSocket('udp4');
  socket.on('message', (bytes, from) => {
    const answer = answerTo(bytes);
    if (answer !== null) socket.send(encode(answer), from.port, from.address);
  });

  function answerTo(bytes: Buffer): Packet | null {
    const query = decoded(bytes);
    const name = query?.questions?.[0]?.name.toLowerCase() ?? '';
    if (query === null) return null;
    const fault: ResolverFault = faults.get(name) ?? { kind: names.includes(name) ? 'none' : 'not-found' };
    switch (fault.kind) {
      case 'none':
        return reply(query, '127.0.0.1');
      case 'answer':
        return reply(query, fault.address);
      case 'not-found':
        return reply(query, null, NAME_ERROR);
      case 'server-failure':
        return reply(query, null, SERVER_FAILURE);
      case 'silent':
        return null;
    }
  }

  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    port: socket.address().port,
    setFault: (name, fault) => {
      if (fault.kind === 'none') faults.delete(name.toLowerCase());
      else faults.set(name.toLowerCase(), fault);
    },
    [Symbol.asyncDispose]: () => new Promise((resolve) => socket.close(resolve)),
  };
}

function decoded(bytes: Buffer): DecodedPacket | null {
  try {
    return decode(bytes);
  } catch {
    return null;
  }
}

/** Only questions about IPv4 are answered with the address. For all others, the name has no records. */
function reply({ id = 0, questions = [] }: DecodedPacket, address: string | null, rcode = 0): Packet {
  const answers = questions.flatMap(({ name, type }): readonly Answer[] =>
    type === 'A' && address !== null ? [{ type, name, class: 'IN', ttl: TTL, data: address }] : [],
  );
  return { type: 'response', id, flags: FLAGS | rcode, questions, answers: [...answers] };
}
