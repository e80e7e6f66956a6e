import type * as z from 'zod';
import { authority, type HostPort } from '../../core/authority.ts';
import { type ListenAddress, parseHostPort, parseListenAddress } from './host-port.ts';
import { codedText } from './values.ts';

export function hostPort(defaultPort: number): z.ZodType<HostPort> {
  return codedText({
    title: 'host:port',
    expected: `a host with or without port, such as "www.example.org:${String(defaultPort)}"`,
    parse: (value) => parseHostPort(value, defaultPort),
    format: authority,
  });
}

export const listenAddress: z.ZodType<ListenAddress> = codedText({
  title: 'address:port',
  expected: 'an address and port to listen at, such as "127.0.0.1:9843"',
  parse: parseListenAddress,
  format: ({ address, port }) => authority({ host: address, port }),
});
