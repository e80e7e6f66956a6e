import type { FindingFacts } from '../finding.ts';
import { FORTIGATE, FORTIGATE_SERIAL } from './culprit.ts';

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
  /** The firewall policy that does it: `FortiGate 10.0.0.1, policy 12 "LAN-to-Internet"`. */
  readonly culprit?: string;
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
function named(name: keyof WordingFacts, known: string, { issuer = '' }: WordingFacts): string {
  if (name === 'resolver' && known === 'system') return 'the resolver of this machine';
  return name === 'product' && known === FORTIGATE && FORTIGATE_SERIAL.test(issuer) ? `${known} ${issuer}` : known;
}

/** Where the REST API of a unit is. */
function interfaceOf({ address }: WordingFacts): string {
  return address === undefined ? 'the URL in appliances[].api.url' : `https://${address}`;
}

/** A product that the catalogue does not know is told by what it calls itself. */
function generalWord(name: keyof WordingFacts, { issuer, unit }: WordingFacts): string {
  if (name === 'source' && unit !== undefined) return unit;
  return name === 'product' && issuer !== undefined ? unknownProduct(issuer) : GENERAL[name];
}

function isFactName(name: string): name is keyof WordingFacts {
  return Object.hasOwn(GENERAL, name);
}
