import type * as z from 'zod';
import type { HostPort, ListenAddress, ResolverConfig } from '../config.ts';
import { parseHostPort, parseListenAddress } from '../host-port.ts';
import { parseResolver } from '../resolver.ts';
import { parsedText } from './values.ts';

export function hostPort(defaultPort: number): z.ZodType<HostPort> {
  return parsedText({
    title: 'host:port',
    expected: `a host with or without port, such as "www.example.org:${String(defaultPort)}"`,
    parse: (value) => parseHostPort(value, defaultPort),
  });
}

export function listenAddress(): z.ZodType<ListenAddress> {
  return parsedText({
    title: 'address:port',
    expected: 'an address and port to listen at, such as "127.0.0.1:9843"',
    parse: parseListenAddress,
  });
}

export function resolver(): z.ZodType<ResolverConfig> {
  return parsedText({
    title: 'resolver',
    expected: '"system", an address (not a name), or a URL that begins with udp://, tcp://, tls:// or https://',
    parse: parseResolver,
  });
}
