import type { FindingFacts } from '../finding.ts';

export interface WordingFacts extends FindingFacts {
  readonly subject: string;
  /** Licence server as configured. */
  readonly host: string;
  readonly port: string;
}

/** What stands in a text when a fact is not known: the sentence stays true and readable. */
const GENERAL: Readonly<Record<keyof WordingFacts, string>> = {
  subject: 'the target',
  host: 'the licence server',
  port: '443',
  address: 'its addresses',
  proxy: 'the proxy',
  resolver: 'the resolver',
  product: 'an inspecting device that the catalogue does not know',
  appliance: 'FortiAuthenticator',
  serial: 'the serial number of this FortiAuthenticator',
  holder: 'another unit',
  license: 'the licence',
  policy: 'the policy that matches',
  profile: 'its inspection profile',
  source: 'the address of FortiAuthenticator',
  judgement: 'The certificate of the licence server is not valid',
};

/** Fills `{placeholders}`; an unknown name is left as it stands, which a test over the whole catalogue forbids. */
export function fill(text: string, facts: WordingFacts): string {
  return text.replaceAll(/\{([a-z]+)\}/gu, (whole, name: string) => (isFactName(name) ? (facts[name] ?? GENERAL[name]) : whole));
}

function isFactName(name: string): name is keyof WordingFacts {
  return Object.hasOwn(GENERAL, name);
}
