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

/** Returns the steps of a remedy as sentences and in full. */
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

/** Maximum number of commands that read well within a sentence. */
const MOST_QUOTED = 3;

/** Returns the step as one sentence. Short commands are appended; longer ones appear only in their block. */
function sentenceOf({ text, commands }: RemedyStep): string {
  const lines = (commands ?? '').split('\n').map((line) => line.trim());
  if (commands === null || lines.length > MOST_QUOTED) return text;
  return `${text} ${lines.length === 1 ? 'Command' : 'Commands'}: ${lines.map((line) => `"${line}"`).join(', ')}.`;
}

interface FilledCommands {
  readonly text: string;
  /** Empty if the commands can run unchanged. */
  readonly blanks: readonly Blank[];
}

type Known = (facts: WordingFacts) => string | null;

interface CommandWord {
  readonly known: Known;
  /** Placeholder used while the value is unknown. */
  readonly blank: Blank;
  /**
   * Explains why the value could not be read; null if there was no source. Null in a runbook, which is not based on any
   * reading.
   */
  readonly unread?: (facts: WordingFacts) => string | null;
}

const COMES_IN = 'the interface at which the traffic of FortiAuthenticator comes in';
const SOURCE = 'the address of FortiAuthenticator that the firewall sees';

/**
 * Placeholders for firewall policy commands. The names of objects describe their content, so that a block does not
 * change an object that another block created.
 */
const POLICY_WORDS: Readonly<Record<string, CommandWord>> = {
  sourcefour: word('SOURCE-IP', SOURCE, ({ source }) => ipv4OrNull(source)),
  policyhost: word('HOST', 'the name of the server', ({ host }) => nameOrFour(host)),
  /** An address name can have at most 79 characters. */
  objecthost: word('HOST', 'the name of the server', ({ host }) => nameOrFour(host)?.slice(0, 60) ?? null),
  addresstype: word('TYPE', '', ({ host }) => (ipv4OrNull(host) === null ? 'fqdn' : 'ipmask')),
  addresskey: word('KEY', '', ({ host }) => (ipv4OrNull(host) === null ? 'fqdn' : 'subnet')),
  addressmask: word('MASK', '', ({ host }) => (ipv4OrNull(host) === null ? '' : ' 255.255.255.255')),
  /** A policy name can have at most 35 characters, and it contains the source address. */
  shortname: word('NAME', '', ({ host }) => nameOrFour(host)?.slice(0, 9) ?? 'server'),
  inside: ofPolicy('INSIDE', COMES_IN, 'incoming', quotedInside),
  outside: ofPolicy('OUTSIDE', 'the interface at which it leaves for the internet', 'outgoing', quotedInside),
  /** For commands that take a single interface. */
  ingress: ofPolicy('INSIDE', COMES_IN, 'incoming', (text) => /^(?!any$)[\w./-]+$/u.exec(text)?.[0] ?? null),
  policyid: ofPolicy(
    'POLICY-ID',
    'the number of the policy that matches now',
    'policy',
    // Findings of every check use `policy 5 "name"`. Incidents from earlier versions start with the number.
    (text) => /^(?:policy )?(?<id>\d{1,10})(?= |$)/u.exec(text)?.groups?.['id'] ?? null,
  ),
  nat: ofPolicy('NAT', 'enable or disable, as in the policy that matches now', 'nat', natOf),
  /** Separate lines for the NAT pools of the policy. */
  natpools: word('POOLS', '', ({ nat, source }) => (isOfSeveral(source) ? '' : poolLines(nat ?? ''))),
  schedule: {
    ...ofPolicy('SCHEDULE', 'the schedule of the policy that matches now', 'schedule', nameOrNull),
    // If no policy was read, there is no schedule to copy.
    known: ({ schedule, policy, source }) =>
      policy === undefined || isOfSeveral(source) ? 'always' : nameOrNull(schedule ?? ''),
  },
  /** Separate lines that wrap the commands of a virtual domain. A FortiGate without VDOMs has only "root". */
  entervdom: word('VDOM', '', ({ vdom }) => (isInVdom(vdom) ? `config vdom\nedit ${vdom}` : '')),
  leavevdom: word('VDOM', '', ({ vdom }) => (isInVdom(vdom) ? 'end' : '')),
  newid: word('NEW-ID', 'the number that the FortiGate gave the new policy', () => null),
};

/**
 * Placeholders for commands. Commands are copied and run unchanged, so each value must be safe in every shell: an
 * address, a host name, a number, or a marked placeholder.
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
  /** Follows `openssl s_client`. */
  starttls: word('STARTTLS', '', ({ security }) => (security === 'tls' ? '' : '-starttls smtp ')),
  /** Follows an ftm-watch command: the configuration file of the running instance. */
  config: word('CONFIG', '-c and the file of the configuration', ({ config }) => configOption(config)),
  gateway: word('GATEWAY', 'the address of the default gateway', () => null),
  syslogport: word('SYSLOG-PORT', 'the port of logs.syslog', () => null),
  learnedfile: word('LEARNED-FILE', 'the file of the learned chain, as "ftm-watch trust show" names it', () => null),
  ...POLICY_WORDS,
};

function word(name: string, meaning: string, known: Known): CommandWord {
  return { known, blank: { name: `FILL-IN-${name}`, meaning } };
}

/**
 * Returns a value from the matching policy. If there are several source addresses, each can have a different policy.
 */
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

/** Reports whether there are several source addresses, so that values from one policy may be wrong for the others. */
function isOfSeveral(source: string | undefined): boolean {
  return source?.includes(',') === true;
}

function natOf(text: string): string | null {
  const [nat = '', ...pools] = text.split(INTERFACE_SEPARATOR);
  return ['enable', 'disable'].includes(nat) && pools.every(isInterfaceName) ? nat : null;
}

/** Returns the `ippool` and `poolname` lines of a policy. Source: CLI reference, `firewall policy`. */
function poolLines(nat: string): string {
  const pools = natOf(nat) === null ? [] : nat.split(INTERFACE_SEPARATOR).slice(1);
  return pools.length === 0 ? '' : `set ippool enable\n        set poolname "${pools.join('" "')}"`;
}

function nameOrNull(text: string): string | null {
  return isInterfaceName(text) ? text : null;
}

/**
 * Reports whether the FortiGate uses VDOMs. CLI reference, `config vdom`: a name has at most 31 characters, 11 in older
 * firmware.
 */
function isInVdom(vdom: string | undefined): vdom is string {
  return vdom !== undefined && vdom !== 'root' && /^[\w-]{1,31}$/u.test(vdom);
}

/** Fills the placeholders of commands. An unknown name is left unchanged; a test ensures that there are none. */
export function fillCommands(lines: readonly string[], facts: WordingFacts): FilledCommands {
  const blanks = new Map<string, Blank>();
  const filled = lines.map((line) => fillLine(line, facts, blanks));
  // A placeholder for whole lines can be empty.
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

/** Returns the host if an IPv4 policy can use it. */
function nameOrFour(host: string): string | null {
  return addressFamily(host) === 6 ? null : hostOrNull(host);
}

/** Returns several names next to each other, each in quotes, without the outermost quotes. */
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

/** Returns the address of a resolver, which is listed as configured: `10.0.0.53`, `udp://10.0.0.53:53`. */
function resolverAddress(resolver: string | undefined): string | null {
  const bare = (resolver ?? '').replace(/^(?:udp|tcp):\/\//u, '');
  return addressOrNull(bare) ?? addressOrNull(hostAndPort(bare)?.host);
}

function hostAndPort(text: string): { readonly host: string; readonly port: string } | null {
  const { host, port } = /^\[?(?<host>[^\s[\]<>]+)\]?:(?<port>\d+)$/u.exec(text)?.groups ?? {};
  return host === undefined || port === undefined ? null : { host, port };
}

/** Returns the option for the configuration file; null if its name does not fit on one line. */
function configOption(file: string | undefined): string | null {
  if (file === undefined) return '';
  return /\p{C}/u.test(file) ? null : ` -c ${shellWord(file)}`;
}

/** Quotes text as one word for any POSIX shell. */
function shellWord(text: string): string {
  return /^[\w.:@/+-]+$/u.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Returns the name of an inspecting device, based on its signing authority. */
export function unknownProduct(issuer: string): string {
  return `"${issuer}", which the catalogue does not know`;
}

export interface WordingFacts extends FindingFacts {
  readonly subject: string;
  /** The licence server or the affected service, as configured. */
  readonly host: string;
  readonly port: string;
  /** The configuration file in use. Absent if the defaults are used. */
  readonly config?: string;
  /** Configured addresses of FortiAuthenticator. Used only in sentences, because a log can come from a relay. */
  readonly unit?: string;
  /** Other addresses of the same target that work without problems. */
  readonly clean?: string;
  /** The firewall policy responsible: `FortiGate 10.0.0.1, policy 12 "LAN-to-Internet"`. */
  readonly culprit?: string;
  /** The text is for a runbook, which has no incident. */
  readonly runbook?: true;
}

type WordingName = Exclude<keyof WordingFacts, 'runbook'>;

/** Words used for unknown facts. The sentence stays true and readable. */
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

/** Facts about an unknown server. */
export const ANY_SERVER: WordingFacts = { subject: GENERAL.subject, host: GENERAL.host, port: GENERAL.port };

/**
 * Fills `{placeholders}`. An unknown name is left unchanged; a test over the whole catalogue ensures that there are
 * none.
 */
export function fill(text: string, facts: WordingFacts): string {
  return text.replaceAll(/\{([a-z]+)\}/gu, (whole, name: string) => {
    if (name === 'interface') return interfaceOf(facts);
    if (!isFactName(name)) return whole;
    const known = facts[name];
    return known === undefined ? generalWord(name, facts) : named(name, known, facts);
  });
}

/**
 * Returns the text for a known fact. A FortiGate signs with its serial number, which identifies the unit. "system" is a
 * configuration keyword.
 */
function named(name: WordingName, known: string, { issuer = '' }: WordingFacts): string {
  if (name === 'resolver' && known === 'system') return 'the resolver of this machine';
  return name === 'product' && known === FORTIGATE && FORTIGATE_SERIAL.test(issuer) ? `${known} ${issuer}` : known;
}

/** Returns the URL of a unit's REST API. */
function interfaceOf({ address }: WordingFacts): string {
  return address === undefined ? 'the URL in appliances[].api.url' : `https://${address}`;
}

/** Returns the text for an unknown fact. A product that is not in the catalogue is described by its issuer name. */
function generalWord(name: WordingName, { issuer, unit }: WordingFacts): string {
  if (name === 'source' && unit !== undefined) return unit;
  return name === 'product' && issuer !== undefined ? unknownProduct(issuer) : GENERAL[name];
}

function isFactName(name: string): name is WordingName {
  return Object.hasOwn(GENERAL, name);
}
