import { addressFamily } from '../../core/addresses.ts';
import type { FindingFacts } from '../finding.ts';

/** A device that inspects, by the name of the authority that it signs with. */
export function unknownProduct(issuer: string): string {
  return `"${issuer}", which the catalogue does not know`;
}

export interface WordingFacts extends FindingFacts {
  readonly subject: string;
  /** The licence server or the service that it is about, as configured. */
  readonly host: string;
  readonly port: string;
}

/** What stands in a text when a fact is not known: the sentence stays true and readable. */
const GENERAL: Readonly<Record<keyof WordingFacts, string>> = {
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
  source: 'the address of FortiAuthenticator',
  security: 'starttls',
  unclear: 'a part of it could not be judged',
  judgement: 'The certificate of the licence server is not valid',
};

/**
 * Words of commands and addresses to type. A command runs as it is copied, so that each is one word whatever is known:
 * what a person has to put in stands in capitals, and the text around the command says what it is.
 */
const COMMAND_WORDS: Readonly<Record<string, (facts: WordingFacts) => string>> = {
  sourceip: ({ source }) => addressOr(source, 'SOURCE-IP'),
  serverip: ({ address }) => addressOr(address, 'SERVER-IP'),
  interface: ({ address }) => (address === undefined ? 'the URL in appliances[].api.url' : `https://${address}`),
  subjecthost: ({ subject }) => hostAndPort(subject)?.host ?? 'HOST',
  subjectport: ({ subject }) => hostAndPort(subject)?.port ?? 'PORT',
  starttls: ({ security }) => (security === 'tls' ? '' : '-starttls smtp '),
};

function addressOr(text: string | undefined, word: string): string {
  return text !== undefined && addressFamily(text) !== null ? text : word;
}

function hostAndPort(subject: string): { readonly host: string; readonly port: string } | null {
  const { host, port } = /^\[?(?<host>[^\s[\]<>]+)\]?:(?<port>\d+)$/u.exec(subject)?.groups ?? {};
  return host === undefined || port === undefined ? null : { host, port };
}

/** Fills `{placeholders}`; an unknown name is left as it stands, which a test over the whole catalogue forbids. */
export function fill(text: string, facts: WordingFacts): string {
  return text.replaceAll(/\{([a-z]+)\}/gu, (whole, name: string) => {
    if (isFactName(name)) return facts[name] ?? generalWord(name, facts);
    return Object.hasOwn(COMMAND_WORDS, name) ? (COMMAND_WORDS[name]?.(facts) ?? whole) : whole;
  });
}

/** A product that the catalogue does not know is told by what it calls itself. */
function generalWord(name: keyof WordingFacts, { issuer }: WordingFacts): string {
  return name === 'product' && issuer !== undefined ? unknownProduct(issuer) : GENERAL[name];
}

function isFactName(name: string): name is keyof WordingFacts {
  return Object.hasOwn(GENERAL, name);
}
