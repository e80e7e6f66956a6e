import {
  type Remedy,
  type RemedyStep,
  sentenceStep,
  type CommandStep,
  type Step,
  type Blank,
  type Check,
  type Finding,
  type FindingFacts,
  GENERAL_FACTS,
} from './model.ts';
import { addressFamily, authority } from '../core/addresses.ts';
import { INTERFACE_SEPARATOR, isInterfaceName } from '../core/firewall.ts';
import { FORTIGATE, FORTIGATE_SERIAL, quotation } from './words.ts';

export function remedyOf(steps: readonly Step[], facts: WordingFacts): Remedy {
  const remedySteps = steps.map((step) =>
    typeof step === 'string' ? sentenceStep(fill(step, facts)) : commandStep(step, facts),
  );
  return { remedy: remedySteps.map(sentenceOf), remedySteps };
}

/** Returns the advice of the findings that made the check unknown, otherwise the check's general step. */
export function stepsWhenUnknown(
  { unknownRemedy }: Pick<Check, 'unknownRemedy'>,
  findings: readonly Finding[],
): readonly Step[] {
  const advised = findings.flatMap(({ level, advice }) => (level === 'unknown' ? (advice?.remedy ?? []) : []));
  return advised.length > 0 ? advised : [unknownRemedy];
}

function commandStep({ text, commands, undo, syntax }: CommandStep, facts: WordingFacts): RemedyStep {
  const forth = fillCommands(commands, facts);
  const back = undo === null ? null : fillCommands(undo, facts);
  const blanks = new Map([...forth.blanks, ...(back?.blanks ?? [])].map((blank) => [blank.name, blank]));
  return {
    text: fill(text, facts),
    // A block that consists only of an unknown value is omitted.
    commands: forth.text === '' ? null : forth.text,
    undo: back?.text ?? null,
    syntax: forth.text === '' ? null : syntax,
    blanks: [...blanks.values()],
  };
}

const MOST_QUOTED = 3;

/** Appends the commands to the sentence if there are only a few. Longer lists are shown only in a block. */
function sentenceOf({ text, commands }: RemedyStep): string {
  const lines = (commands ?? '').split('\n').map((line) => line.trim());
  if (commands === null || lines.length > MOST_QUOTED) return text;
  return `${text} ${lines.length === 1 ? 'Command' : 'Commands'}: ${lines.map(quotation).join(', ')}.`;
}

interface FilledCommands {
  readonly text: string;
  readonly blanks: readonly Blank[];
}

type Known = (facts: WordingFacts) => string | null;

interface CommandWord {
  readonly known: Known;
  readonly blank: Blank;
  /** Returns the reason why the value could not be read. Returns null in a runbook, or if the value has no source. */
  readonly unread?: (facts: WordingFacts) => string | null;
}

const COMES_IN = 'the interface on which the traffic from FortiAuthenticator arrives';
const SOURCE = 'the source address of the traffic from FortiAuthenticator at the firewall';

/**
 * Object names are derived from the objects' content, so that commands do not change objects that other commands
 * created.
 */
const POLICY_WORDS: Readonly<Record<string, CommandWord>> = {
  sourcefour: word('SOURCE-IP', SOURCE, ({ source }) => ipv4OrNull(source)),
  policyhost: word('HOST', 'the name of the server', ({ host }) => nameOrFour(host)),
  /** FortiOS limits address names to 79 characters. */
  objecthost: word('HOST', 'the name of the server', ({ host }) => nameOrFour(host)?.slice(0, 60) ?? null),
  addresstype: word('TYPE', '', ({ host }) => (ipv4OrNull(host) === null ? 'fqdn' : 'ipmask')),
  addresskey: word('KEY', '', ({ host }) => (ipv4OrNull(host) === null ? 'fqdn' : 'subnet')),
  addressmask: word('MASK', '', ({ host }) => (ipv4OrNull(host) === null ? '' : ' 255.255.255.255')),
  /** FortiOS limits policy names to 35 characters, and the name also contains the source address. */
  shortname: word('NAME', '', ({ host }) => nameOrFour(host)?.slice(0, 9) ?? 'server'),
  inside: ofPolicy('INSIDE', COMES_IN, 'incoming', quotedInside),
  outside: ofPolicy('OUTSIDE', 'the interface on which the traffic leaves for the internet', 'outgoing', quotedInside),
  /** For commands that accept only one interface. */
  ingress: ofPolicy('INSIDE', COMES_IN, 'incoming', (text) => /^(?!any$)[\w./-]+$/u.exec(text)?.[0] ?? null),
  policyid: ofPolicy(
    'POLICY-ID',
    'the ID of the policy that currently matches',
    'policy',
    // Findings contain `policy 5 "name"`. In incidents from earlier versions, the text starts with the policy's number.
    (text) => /^(?:policy )?(?<id>\d{1,10})(?= |$)/u.exec(text)?.groups?.['id'] ?? null,
  ),
  nat: ofPolicy('NAT', 'enable or disable, as in the policy that currently matches', 'nat', natOf),
  natpools: word('POOLS', '', ({ nat, source }) => (isOfSeveral(source) ? '' : poolLines(nat ?? ''))),
  schedule: {
    ...ofPolicy('SCHEDULE', 'the schedule of the policy that currently matches', 'schedule', nameOrNull),
    // If no policy was read, there is no schedule to copy.
    known: ({ schedule, policy, source }) =>
      policy === undefined || isOfSeveral(source) ? 'always' : nameOrNull(schedule ?? ''),
  },
  /**
   * Lines that enter and leave a virtual domain. A FortiGate without VDOMs needs none, because its only virtual domain
   * is "root".
   */
  entervdom: word('VDOM', '', ({ vdom }) => (isInVdom(vdom) ? `config vdom\nedit ${vdom}` : '')),
  leavevdom: word('VDOM', '', ({ vdom }) => (isInVdom(vdom) ? 'end' : '')),
  newid: word('NEW-ID', 'the ID that the FortiGate assigned to the new policy', () => null),
};

/**
 * Users copy and run commands unchanged, so each value must be safe in every shell: addresses, host names, numbers, or
 * marked placeholders.
 */
const COMMAND_WORDS: Readonly<Record<string, CommandWord>> = {
  host: word('HOST', 'the name of the server', ({ host }) => hostOrNull(host)),
  port: word('PORT', 'the port of the server', ({ port }) => portOrNull(port)),
  server: word('SERVER', 'host:port of the server', ({ host, port }) => endpoint(host, port)),
  serverip: word('SERVER-IP', 'an address of the server', ({ address }) => addressOrNull(address)),
  sourceip: word('SOURCE-IP', SOURCE, ({ source }) => addressOrNull(source)),
  resolverip: word('RESOLVER-IP', 'the address of the resolver', ({ resolver }) => resolverAddress(resolver)),
  proxy: word('PROXY', 'the proxy and its port', ({ proxy }) => endpointIn(proxy)),
  api: word('UNIT', 'the host and port of the API', ({ address }) => endpointIn(address)),
  mailhost: word('MAIL-SERVER', 'the name of the mail server', ({ subject }) =>
    hostOrNull(hostAndPort(subject)?.host ?? ''),
  ),
  mailport: word('MAIL-PORT', 'the port of the mail server', ({ subject }) =>
    portOrNull(hostAndPort(subject)?.port ?? ''),
  ),
  mailserver: word('MAIL-SERVER', 'host:port of the mail server', ({ subject }) => {
    const { host = '', port = '' } = hostAndPort(subject) ?? {};
    return endpoint(host, port);
  }),
  starttls: word('STARTTLS', '', ({ security }) => (security === 'tls' ? '' : '-starttls smtp ')),
  rootpem: word('ROOT', '', ({ rootpem = '' }) => (PEM.test(rootpem) ? rootpem.trimEnd() : '')),
  config: word('CONFIG', 'the option -c with the configuration file', ({ config }) => configOption(config)),
  gateway: word('GATEWAY', 'the address of the default gateway', () => null),
  syslogport: word('SYSLOG-PORT', 'the port of logs.syslog', () => null),
  learnedfile: word('LEARNED-FILE', 'the file with the learned chain, as shown by "ftm-watch trust show"', () => null),
  ...POLICY_WORDS,
};

const PEM = /^(?:-----BEGIN CERTIFICATE-----\n[\w+/=\n]+-----END CERTIFICATE-----\n)+$/u;

function word(name: string, meaning: string, known: Known): CommandWord {
  return { known, blank: { name: `FILL-IN-${name}`, meaning } };
}

/**
 * A value from the matching firewall policy. If there are several source addresses, the value remains unknown, because
 * each address can match a different policy.
 */
function ofPolicy(
  name: string,
  meaning: string,
  fact: 'incoming' | 'outgoing' | 'policy' | 'nat' | 'schedule',
  known: (text: string) => string | null,
): CommandWord {
  const unread = ({ source, firewall, policy, runbook, ...facts }: WordingFacts): string | null => {
    if (runbook === true) return null;
    if (isOfSeveral(source)) return 'each source address can have a different policy';
    if (firewall === undefined) return 'no FortiGate reported which policy matches';
    if (policy === undefined) return 'no policy currently matches';
    return { ...facts, policy }[fact] === undefined
      ? 'the matching policy does not contain this value'
      : 'this command cannot contain the value from the matching policy';
  };
  return { ...word(name, meaning, (facts) => (isOfSeveral(facts.source) ? null : known(facts[fact] ?? ''))), unread };
}

/** Returns whether there are several source addresses. If so, a policy's values may be wrong for some of them. */
function isOfSeveral(source: string | undefined): boolean {
  return source?.includes(',') === true;
}

function natOf(text: string): string | null {
  const [nat = '', ...pools] = text.split(INTERFACE_SEPARATOR);
  return ['enable', 'disable'].includes(nat) && pools.every(isInterfaceName) ? nat : null;
}

/** See the CLI reference, `firewall policy`. */
function poolLines(nat: string): string {
  const pools = natOf(nat) === null ? [] : nat.split(INTERFACE_SEPARATOR).slice(1);
  return pools.length === 0 ? '' : `set ippool enable\n        set poolname "${pools.join('" "')}"`;
}

function nameOrNull(text: string): string | null {
  return isInterfaceName(text) ? text : null;
}

/** A VDOM name has at most 31 characters, or 11 in older firmware (CLI reference, `config vdom`). */
function isInVdom(vdom: string | undefined): vdom is string {
  return vdom !== undefined && vdom !== 'root' && /^[\w-]{1,31}$/u.test(vdom);
}

/** A test ensures that all placeholders are defined. */
function fillCommands(lines: readonly string[], facts: WordingFacts): FilledCommands {
  const blanks = new Map<string, Blank>();
  const filled = lines.map((line) => fillLine(line, facts, blanks));
  // Placeholders for whole lines may have an empty value. The resulting empty lines are removed.
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

/** Returns the host if it can be used in an IPv4 policy, otherwise null. */
function nameOrFour(host: string): string | null {
  return addressFamily(host) === 6 ? null : hostOrNull(host);
}

/** Returns the names without the opening and closing quotes, which the command already contains. */
function quotedInside(interfaces: string): string | null {
  const names = interfaces.split(INTERFACE_SEPARATOR);
  return names.every(isInterfaceName) ? names.join('" "') : null;
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

function resolverAddress(resolver: string | undefined): string | null {
  const bare = (resolver ?? '').replace(/^(?:udp|tcp):\/\//u, '');
  return addressOrNull(bare) ?? addressOrNull(hostAndPort(bare)?.host);
}

function endpointIn(text = ''): string | null {
  const { host, port } = hostAndPort(text) ?? {};
  return host === undefined || port === undefined ? null : endpoint(host, port);
}

function hostAndPort(text: string): { readonly host: string; readonly port: string } | null {
  const { host, port } = /^\[?(?<host>[^\s[\]<>]+)\]?:(?<port>\d+)$/u.exec(text)?.groups ?? {};
  return host === undefined || port === undefined ? null : { host, port };
}

/** Returns null if the file name contains control characters. */
function configOption(file: string | undefined): string | null {
  if (file === undefined) return '';
  return /\p{C}/u.test(file) ? null : ` -c ${shellWord(file)}`;
}

/** Quotes text as one word for any POSIX shell. */
function shellWord(text: string): string {
  return /^[\w.:@/+-]+$/u.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * A FortiGate's certificate authority is named after its serial number, which identifies the unit. A device that is not
 * in the catalogue is identified by its authority.
 */
export function productText({ product, issuer }: Pick<FindingFacts, 'product' | 'issuer'>): string {
  if (product === undefined)
    return issuer === undefined ? GENERAL.product : `"${issuer}", which is not in the product catalogue`;
  return product === FORTIGATE && issuer !== undefined && FORTIGATE_SERIAL.test(issuer)
    ? `${product} ${issuer}`
    : product;
}

export interface WordingFacts extends FindingFacts {
  readonly subject: string;
  readonly host: string;
  readonly port: string;
  readonly config?: string;
  /**
   * FortiAuthenticator's configured addresses. The addresses are used only in sentences, not in commands, because they
   * can include a relay.
   */
  readonly unit?: string;
  /** Addresses of the same target that work. */
  readonly clean?: string;
  /** The words of the other side, for example a mail server's reply. */
  readonly quote?: string;
  /** Such as `FortiGate 10.0.0.1, policy 12 "LAN-to-Internet"`. */
  readonly culprit?: string;
  /** True if the text is for a runbook rather than an incident. */
  readonly runbook?: true;
}

type WordingName = Exclude<keyof WordingFacts, 'runbook'>;

const GENERAL: Readonly<Record<WordingName, string>> = {
  ...GENERAL_FACTS,
  subject: 'the target',
  clean: 'no other address',
  quote: '',
  culprit: 'a firewall policy',
  config: 'the configuration',
  unit: 'the address of FortiAuthenticator',
};

export const ANY_SERVER: WordingFacts = { subject: GENERAL.subject, host: GENERAL.host, port: GENERAL.port };

/** For example `[: "{quote}"| in the evidence]`, with other words if the first fact is unknown. */
const CHOICE = /\[(?<words>[^[\]|{]*\{(?<name>[a-z]+)\}[^[\]|]*)\|(?<others>[^[\]|]*)\]/gu;

/** A test ensures that all placeholders are defined. */
export function fill(text: string, facts: WordingFacts): string {
  const chosen = text.replaceAll(CHOICE, (_whole, words: string, name: string, others: string) =>
    isFactName(name) && facts[name] !== undefined ? words : others,
  );
  return chosen.replaceAll(/\{([a-z]+)\}/gu, (whole, name: string) => {
    if (name === 'interface') return interfaceOf(facts);
    if (!isFactName(name)) return whole;
    if (name === 'product') return productText(facts);
    const known = facts[name] ?? generalWord(name, facts);
    // A keyword of the configuration.
    return name === 'resolver' && known === 'system' ? 'the resolver of the ftm-watch machine' : known;
  });
}

function interfaceOf({ address }: WordingFacts): string {
  return address === undefined ? 'the URL in appliances[].api.url' : `https://${address}`;
}

function generalWord(name: WordingName, { unit }: WordingFacts): string {
  return name === 'source' && unit !== undefined ? unit : GENERAL[name];
}

function isFactName(name: string): name is WordingName {
  return Object.hasOwn(GENERAL, name);
}
