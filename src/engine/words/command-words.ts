import { addressFamily } from '../../core/addresses.ts';
import { authority } from '../../core/authority.ts';
import { interfacesOf } from '../../core/license/interface-name.ts';
import type { Blank } from '../remedy.ts';
import type { WordingFacts } from './wording.ts';

export interface FilledCommands {
  readonly text: string;
  /** Empty: the commands run as they are. */
  readonly blanks: readonly Blank[];
}

type Known = (facts: WordingFacts) => string | null;

interface CommandWord {
  readonly known: Known;
  /** What stands there while it is not known. */
  readonly blank: Blank;
  /** Why nobody could say it, where something might have. */
  readonly unread?: (facts: WordingFacts) => string;
}

const COMES_IN = 'the interface at which the traffic of FortiAuthenticator comes in';
const SOURCE = 'the address of FortiAuthenticator that the firewall sees';

/**
 * Words of a firewall policy. The names of its objects say what is in them, so that no block changes what another one
 * has made.
 */
const POLICY_WORDS: Readonly<Record<string, CommandWord>> = {
  sourcefour: word('SOURCE-IP', SOURCE, ({ source }) => ipv4OrNull(source)),
  policyhost: word('HOST', 'the name of the server', ({ host }) => nameOrFour(host)),
  /** At most 79 characters are a name of an address. */
  objecthost: word('HOST', 'the name of the server', ({ host }) => nameOrFour(host)?.slice(0, 60) ?? null),
  addresstype: word('TYPE', '', ({ host }) => (ipv4OrNull(host) === null ? 'fqdn' : 'ipmask')),
  addresskey: word('KEY', '', ({ host }) => (ipv4OrNull(host) === null ? 'fqdn' : 'subnet')),
  addressmask: word('MASK', '', ({ host }) => (ipv4OrNull(host) === null ? '' : ' 255.255.255.255')),
  /** At most 35 characters are a name of a policy, and the address of the source is in it. */
  shortname: word('NAME', '', ({ host }) => nameOrFour(host)?.slice(0, 9) ?? 'server'),
  inside: ofPolicy('INSIDE', COMES_IN, 'incoming', quotedInside),
  outside: ofPolicy('OUTSIDE', 'the interface at which it leaves for the internet', 'outgoing', quotedInside),
  /** For a command that takes a single one. */
  ingress: ofPolicy('INSIDE', COMES_IN, 'incoming', (text) => /^(?!any$)[\w./-]+$/u.exec(text)?.[0] ?? null),
  policyid: ofPolicy(
    'POLICY-ID',
    'the number of the policy that matches now',
    'policy',
    (text) => /^\d{1,10}(?= |$)/u.exec(text)?.[0] ?? null,
  ),
  newid: word('NEW-ID', 'the number that the FortiGate gave the new policy', () => null),
};

/**
 * The words of commands. A command runs as it is copied, so that each is safe in every shell whatever is known: an
 * address, a name of a host, a number, or a marked blank.
 */
const COMMAND_WORDS: Readonly<Record<string, CommandWord>> = {
  host: word('HOST', 'the name of the server', ({ host }) => hostOrNull(host)),
  port: word('PORT', 'the port of the server', ({ port }) => portOrNull(port)),
  /** `host:port` for a shell. */
  server: word('SERVER', 'the name of the server, a colon, and its port', ({ host, port }) => endpoint(host, port)),
  serverip: word('SERVER-IP', 'an address of the server', ({ address }) => addressOrNull(address)),
  sourceip: word('SOURCE-IP', SOURCE, ({ source }) => addressOrNull(source)),
  resolverip: word('RESOLVER-IP', 'the address of the resolver', ({ resolver }) => resolverAddress(resolver)),
  proxy: word('PROXY', 'the proxy and its port', ({ proxy }) => {
    const { host, port } = hostAndPort(proxy ?? '') ?? {};
    return host === undefined || port === undefined ? null : endpoint(host, port);
  }),
  mailhost: word('MAIL-SERVER', 'the name of the mail server', ({ subject }) =>
    hostOrNull(hostAndPort(subject)?.host ?? ''),
  ),
  mailport: word('MAIL-PORT', 'the port of the mail server', ({ subject }) =>
    portOrNull(hostAndPort(subject)?.port ?? ''),
  ),
  mailserver: word('MAIL-SERVER', 'the name of the mail server, a colon, and its port', ({ subject }) => {
    const { host = '', port = '' } = hostAndPort(subject) ?? {};
    return endpoint(host, port);
  }),
  /** Behind `openssl s_client`. */
  starttls: word('STARTTLS', '', ({ security }) => (security === 'tls' ? '' : '-starttls smtp ')),
  /** Behind a command of ftm-watch: the configuration that this one runs under. */
  config: word('CONFIG', '-c and the file of the configuration', ({ config }) => configOption(config)),
  gateway: word('GATEWAY', 'the address of the default gateway', () => null),
  syslogport: word('SYSLOG-PORT', 'the port of logs.syslog', () => null),
  learnedfile: word('LEARNED-FILE', 'the file of the learned chain, as "ftm-watch trust show" names it', () => null),
  ...POLICY_WORDS,
};

function word(name: string, meaning: string, known: Known): CommandWord {
  return { known, blank: { name: `FILL-IN-${name}`, meaning } };
}

/** What the policy that matches says. Where several addresses have one each, it would be that of another. */
function ofPolicy(
  name: string,
  meaning: string,
  fact: 'incoming' | 'outgoing' | 'policy',
  known: (text: string) => string | null,
): CommandWord {
  const isOfSeveral = ({ source }: WordingFacts): boolean => source?.includes(',') === true;
  const unread = (facts: WordingFacts): string => {
    if (isOfSeveral(facts)) return 'each address has a policy of its own';
    return facts[fact] === undefined
      ? 'no FortiGate said which policy matches'
      : 'the policy that matches names none that this command can hold';
  };
  return { ...word(name, meaning, (facts) => (isOfSeveral(facts) ? null : known(facts[fact] ?? ''))), unread };
}

/** Fills the placeholders of commands; an unknown name is left as it stands, which a test forbids. */
export function fillCommands(lines: readonly string[], facts: WordingFacts): FilledCommands {
  const blanks = new Map<string, Blank>();
  const text = lines.join('\n').replaceAll(/\{([a-z]+)\}/gu, (whole, name: string) => {
    const entry = Object.hasOwn(COMMAND_WORDS, name) ? COMMAND_WORDS[name] : undefined;
    if (entry === undefined) return whole;
    const known = entry.known(facts);
    if (known !== null) return known;
    const { blank, unread } = entry;
    const meaning = unread === undefined ? blank.meaning : `${blank.meaning} (not read: ${unread(facts)})`;
    blanks.set(blank.name, { ...blank, meaning });
    return entry.blank.name;
  });
  return { text, blanks: [...blanks.values()] };
}

function addressOrNull(text: string | undefined): string | null {
  return text !== undefined && addressFamily(text) !== null ? text : null;
}

function ipv4OrNull(text: string | undefined): string | null {
  return text !== undefined && addressFamily(text) === 4 ? text : null;
}

/** What an IPv4 policy can name. */
function nameOrFour(host: string): string | null {
  return addressFamily(host) === 6 ? null : hostOrNull(host);
}

/** Several names stand side by side, each in quotes; the outermost are there already. */
function quotedInside(interfaces: string): string | null {
  const names = interfacesOf(interfaces);
  return names.length === 0 ? null : names.join('" "');
}

function hostOrNull(text: string): string | null {
  return /^[A-Za-z0-9](?:[\w.-]{0,252})$/u.test(text) || addressFamily(text) !== null ? text : null;
}

function portOrNull(text: string): string | null {
  return /^\d{1,5}$/u.test(text) ? text : null;
}

function endpoint(host: string, port: string): string | null {
  const [name, number] = [hostOrNull(host), portOrNull(port)];
  return name === null || number === null ? null : shellWord(authority({ host: name, port: Number(number) }));
}

/** Resolvers are told as they are configured: `10.0.0.53`, `udp://10.0.0.53:53`. */
function resolverAddress(resolver: string | undefined): string | null {
  const bare = (resolver ?? '').replace(/^(?:udp|tcp):\/\//u, '');
  return addressOrNull(bare) ?? addressOrNull(hostAndPort(bare)?.host);
}

function hostAndPort(text: string): { readonly host: string; readonly port: string } | null {
  const { host, port } = /^\[?(?<host>[^\s[\]<>]+)\]?:(?<port>\d+)$/u.exec(text)?.groups ?? {};
  return host === undefined || port === undefined ? null : { host, port };
}

/** Null for a name that no line can hold. */
function configOption(file: string | undefined): string | null {
  if (file === undefined) return '';
  return /\p{C}/u.test(file) ? null : ` -c ${shellWord(file)}`;
}

/** One word of any POSIX shell. */
function shellWord(text: string): string {
  return /^[\w.:@/+-]+$/u.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
