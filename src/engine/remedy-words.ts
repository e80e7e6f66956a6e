import {
  type Remedy,
  type RemedyStep,
  sentenceStep,
  type CommandStep,
  type Step,
  type Blank,
  type FindingFacts,
} from './model.ts';
import { addressFamily, authority } from '../core/addresses.ts';
import { INTERFACE_SEPARATOR, interfacesOf, isInterfaceName } from '../core/license/firewall.ts';
import { FORTIGATE, FORTIGATE_SERIAL } from './words.ts';

/** What is told of the steps of a remedy. */
export function remedyOf(steps: readonly Step[], facts: WordingFacts): Remedy {
  const remedySteps = steps.map((step) => toldStep(step, facts));
  return { remedy: remedySteps.map(sentenceOf), remedySteps };
}

function toldStep(step: Step, facts: WordingFacts): RemedyStep {
  return typeof step === 'string' ? sentenceStep(fill(step, facts)) : commandStep(step, facts);
}

function commandStep({ text, commands, undo, syntax }: CommandStep, facts: WordingFacts): RemedyStep {
  const forth = fillCommands(commands, facts);
  const back = undo === null ? null : fillCommands(undo, facts);
  const blanks = new Map([...forth.blanks, ...(back?.blanks ?? [])].map((blank) => [blank.name, blank]));
  return {
    text: fill(text, facts),
    commands: forth.text,
    undo: back?.text ?? null,
    syntax,
    blanks: [...blanks.values()],
  };
}

/** More do not read well within a sentence. */
const MOST_QUOTED = 3;

/** The step as one sentence: short commands stand at its end, longer ones in their block alone. */
function sentenceOf({ text, commands }: RemedyStep): string {
  const lines = (commands ?? '').split('\n').map((line) => line.trim());
  if (commands === null || lines.length > MOST_QUOTED) return text;
  return `${text} ${lines.length === 1 ? 'Command' : 'Commands'}: ${lines.map((line) => `"${line}"`).join(', ')}.`;
}

interface FilledCommands {
  readonly text: string;
  /** Empty: the commands run as they are. */
  readonly blanks: readonly Blank[];
}

type Known = (facts: WordingFacts) => string | null;

interface CommandWord {
  readonly known: Known;
  /** What stands there while it is not known. */
  readonly blank: Blank;
  /** Why nobody could say it, where something might have; null in a runbook, for which nothing was read. */
  readonly unread?: (facts: WordingFacts) => string | null;
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
    // Findings of every check call it `policy 5 "name"`; incidents of earlier versions have the number first.
    (text) => /^(?:policy )?(?<id>\d{1,10})(?= |$)/u.exec(text)?.groups?.['id'] ?? null,
  ),
  nat: ofPolicy('NAT', 'enable or disable, as in the policy that matches now', 'nat', natOf),
  /** Lines of their own: the pools that the policy translates to. */
  natpools: word('POOLS', '', ({ nat, source }) => (isOfSeveral(source) ? '' : poolLines(nat ?? ''))),
  schedule: {
    ...ofPolicy('SCHEDULE', 'the schedule of the policy that matches now', 'schedule', nameOrNull),
    // Where no policy is read, there is none to copy.
    known: ({ schedule, policy, source }) =>
      policy === undefined || isOfSeveral(source) ? 'always' : nameOrNull(schedule ?? ''),
  },
  /** Lines of their own, around commands of a virtual domain; a FortiGate without them has only "root". */
  entervdom: word('VDOM', '', ({ vdom }) => (isInVdom(vdom) ? `config vdom\nedit ${vdom}` : '')),
  leavevdom: word('VDOM', '', ({ vdom }) => (isInVdom(vdom) ? 'end' : '')),
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
  fact: 'incoming' | 'outgoing' | 'policy' | 'nat' | 'schedule',
  known: (text: string) => string | null,
): CommandWord {
  const unread = ({ source, firewall, policy, runbook, ...facts }: WordingFacts): string | null => {
    if (runbook === true) return null;
    if (isOfSeveral(source)) return 'each address has a policy of its own';
    if (firewall === undefined) return 'no FortiGate reported which policy matches';
    if (policy === undefined) return 'no policy matches now';
    return { ...facts, policy }[fact] === undefined
      ? 'the policy that matches does not say'
      : 'the policy that matches names none that this command can contain';
  };
  return { ...word(name, meaning, (facts) => (isOfSeveral(facts.source) ? null : known(facts[fact] ?? ''))), unread };
}

/** What one policy says would be wrong for another address. */
function isOfSeveral(source: string | undefined): boolean {
  return source?.includes(',') === true;
}

function natOf(text: string): string | null {
  const [nat = '', ...pools] = text.split(INTERFACE_SEPARATOR);
  return ['enable', 'disable'].includes(nat) && pools.every(isInterfaceName) ? nat : null;
}

/** CLI reference, `firewall policy`: `ippool`, `poolname`. */
function poolLines(nat: string): string {
  const pools = natOf(nat) === null ? [] : nat.split(INTERFACE_SEPARATOR).slice(1);
  return pools.length === 0 ? '' : `set ippool enable\n        set poolname "${pools.join('" "')}"`;
}

function nameOrNull(text: string): string | null {
  return isInterfaceName(text) ? text : null;
}

/** CLI reference, `config vdom`: at most 31 characters, 11 in older firmware. */
function isInVdom(vdom: string | undefined): vdom is string {
  return vdom !== undefined && vdom !== 'root' && /^[\w-]{1,31}$/u.test(vdom);
}

/** Fills the placeholders of commands; an unknown name is left as it stands, which a test forbids. */
export function fillCommands(lines: readonly string[], facts: WordingFacts): FilledCommands {
  const blanks = new Map<string, Blank>();
  const filled = lines.map((line) => fillLine(line, facts, blanks));
  // A placeholder for whole lines may stand for none.
  const text = filled.filter((line, index) => line.trim() !== '' || lines[index] === '').join('\n');
  return { text, blanks: [...blanks.values()] };
}

function fillLine(line: string, facts: WordingFacts, blanks: Map<string, Blank>): string {
  return line.replaceAll(/\{([a-z]+)\}/gu, (whole, name: string) => {
    const entry = Object.hasOwn(COMMAND_WORDS, name) ? COMMAND_WORDS[name] : undefined;
    if (entry === undefined) return whole;
    const known = entry.known(facts);
    if (known !== null) return known;
    const { blank } = entry;
    const unread = entry.unread?.(facts) ?? null;
    const meaning = unread === null ? blank.meaning : `${blank.meaning} (not read: ${unread})`;
    blanks.set(blank.name, { ...blank, meaning });
    return entry.blank.name;
  });
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

/** A device that inspects, by the name of the authority that it signs with. */
export function unknownProduct(issuer: string): string {
  return `"${issuer}", which the catalogue does not know`;
}

export interface WordingFacts extends FindingFacts {
  readonly subject: string;
  /** The licence server or the service that it is about, as configured. */
  readonly host: string;
  readonly port: string;
  /** The file of the configuration in use; without, the defaults are. */
  readonly config?: string;
  /** Addresses of FortiAuthenticator in the configuration: for sentences only, since a log may come from a relay. */
  readonly unit?: string;
  /** Other addresses of the same target, at which everything works. */
  readonly clean?: string;
  /** The firewall policy that does it: `FortiGate 10.0.0.1, policy 12 "LAN-to-Internet"`. */
  readonly culprit?: string;
  /** The words are those of a runbook, which has no incident. */
  readonly runbook?: true;
}

type WordingName = Exclude<keyof WordingFacts, 'runbook'>;

/** What stands in a text when a fact is not known: the sentence stays true and readable. */
const GENERAL: Readonly<Record<WordingName, string>> = {
  subject: 'the target',
  host: 'the licence server',
  port: '443',
  address: 'its addresses',
  clean: 'no other address',
  proxy: 'the proxy',
  resolver: 'the resolver',
  product: 'an inspecting device that the catalogue does not know',
  issuer: 'an authority without a name',
  appliance: 'FortiAuthenticator',
  failing: 'does not answer',
  serial: 'the serial number of this FortiAuthenticator',
  primary: 'the unit that is in charge',
  holder: 'another unit',
  license: 'the licence',
  waited: 'a long time',
  life: 'a limited time',
  date: 'the date on its certificate',
  configured: 'what is configured',
  found: 'something else',
  firewall: 'the firewall',
  policy: 'the policy that matches',
  profile: 'its inspection profile',
  incoming: 'its incoming interface',
  outgoing: 'its outgoing interface',
  vdom: 'its VDOM',
  nat: 'its NAT setting',
  schedule: 'its schedule',
  meaning: 'it logs FortiToken Mobile errors',
  said: 'FortiToken Mobile errors',
  source: 'the address of FortiAuthenticator',
  culprit: 'a firewall policy',
  security: 'starttls',
  unclear: 'a part of it could not be judged',
  judgement: 'The certificate of the licence server is not valid',
  config: 'the configuration',
  unit: 'the address of FortiAuthenticator',
};

/** What is said of a server that is not known. */
export const ANY_SERVER: WordingFacts = { subject: GENERAL.subject, host: GENERAL.host, port: GENERAL.port };

/** Fills `{placeholders}`; an unknown name is left as it stands, which a test over the whole catalogue forbids. */
export function fill(text: string, facts: WordingFacts): string {
  return text.replaceAll(/\{([a-z]+)\}/gu, (whole, name: string) => {
    if (name === 'interface') return interfaceOf(facts);
    if (!isFactName(name)) return whole;
    const known = facts[name];
    return known === undefined ? generalWord(name, facts) : named(name, known, facts);
  });
}

/** A FortiGate signs with its serial number, which says which one it is; "system" is a word of the configuration. */
function named(name: WordingName, known: string, { issuer = '' }: WordingFacts): string {
  if (name === 'resolver' && known === 'system') return 'the resolver of this machine';
  return name === 'product' && known === FORTIGATE && FORTIGATE_SERIAL.test(issuer) ? `${known} ${issuer}` : known;
}

/** Where the REST API of a unit is. */
function interfaceOf({ address }: WordingFacts): string {
  return address === undefined ? 'the URL in appliances[].api.url' : `https://${address}`;
}

/** A product that the catalogue does not know is told by what it calls itself. */
function generalWord(name: WordingName, { issuer, unit }: WordingFacts): string {
  if (name === 'source' && unit !== undefined) return unit;
  return name === 'product' && issuer !== undefined ? unknownProduct(issuer) : GENERAL[name];
}

function isFactName(name: string): name is WordingName {
  return Object.hasOwn(GENERAL, name);
}
