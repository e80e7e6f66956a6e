import { parse } from 'yaml';
import { objectOf, type RenderedChart } from './chart.ts';

interface Policy {
  readonly egress: readonly { readonly ports: readonly { readonly protocol: string; readonly port: number }[] }[];
}

/** Returns the ports to which the pod may connect, as "PROTOCOL PORT". */
export function egressPorts(chart: RenderedChart): readonly string[] {
  const { egress } = objectOf(chart, 'NetworkPolicy').spec as Policy;
  return egress.flatMap(({ ports }) => ports.map(({ protocol, port }) => `${protocol} ${String(port)}`));
}

/** Keys for listening addresses, and for links that people open. */
const NOT_CONNECTED_TO = /^(?:web\.(?:listen|tls|publicUrl)|notify\.runbookUrl|logs)(?:\.|$)/u;
const URL_OR_PORT = /^(?<before>[a-z]+:\/\/[^/:]+|[\w.-]+(?=:\d+$))(?::\d+)?(?<after>.*)$/u;

/**
 * Returns a configuration with a different port in each place to which ftm-watch connects (after "port:", in URLs,
 * and after hosts with a port), and these ports as "PROTOCOL PORT".
 */
export function configWithPorts(text: string): { readonly config: object; readonly ports: readonly string[] } {
  const ports: string[] = [];
  const another = (protocols: readonly string[]): string => {
    const port = String(20_000 + ports.length);
    ports.push(...protocols.map((protocol) => `${protocol} ${port}`));
    return port;
  };
  const leaf = (value: unknown, path: readonly string[]): unknown => {
    if (path.at(-1) === 'port') return Number(another(path.includes('snmp') ? ['UDP'] : ['TCP']));
    const { before, after = '' } = URL_OR_PORT.exec(String(value))?.groups ?? {};
    return before === undefined ? value : `${before}:${another(protocolsOf(before, path))}${after}`;
  };
  const renumber = (value: unknown, path: readonly string[]): unknown => {
    if (NOT_CONNECTED_TO.test(path.join('.'))) return value;
    if (Array.isArray(value)) return value.map((item) => renumber(item, path));
    if (typeof value !== 'object' || value === null) return leaf(value, path);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, renumber(item, [...path, key])]));
  };
  return { config: renumber(parse(text), []) as object, ports };
}

/** A resolver that is queried over UDP is also queried over TCP if its answer is truncated. */
function protocolsOf(before: string, path: readonly string[]): readonly string[] {
  if (path.at(-1) === 'ntp') return ['UDP'];
  return before.startsWith('udp:') ? ['UDP', 'TCP'] : ['TCP'];
}
