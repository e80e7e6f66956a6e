import type * as z from 'zod';
import { certificatesFile, optionalSecret, secret, authorityFile } from './secret.ts';
import {
  type SectionFields,
  fieldsOf,
  given,
  hasSecret,
  itemsOf,
  type Label,
  type Report,
  textAt,
  unique,
  list,
  optional,
  section,
  choice,
  day,
  host,
  integer,
  name,
  pin,
  port,
  serial,
  share,
  text,
  listOrOne,
  address,
  flag,
} from './section.ts';
import { httpsOrigin } from './endpoints.ts';
import { SNMP_AUTH_PROTOCOLS, SNMP_PRIV_PROTOCOLS } from '../../network/snmp/snmp-get.ts';

/** More than any unit holds. */
const MOST_TOKENS = 1_000_000;

const api = section(
  {
    url: httpsOrigin('https://10.0.0.5').describe('Address of the unit, "https://" without a path.'),
    user: text.describe('An administrator with "Web service access"; a profile that only reads is enough.'),
    key: secret('key', "File with the user's web service access key."),
    caFile: optional(certificatesFile).describe(
      'PEM file of the authority that signed its certificate, or of the certificate itself.',
    ),
    pin: optional(pin).describe(
      'SHA-256 of its public key, instead of caFile, for a unit with its factory certificate.',
    ),
  },
  (fields, report) => {
    if (given(fields, 'caFile') && given(fields, 'pin')) report('pin', 'expected only one of "caFile" and "pin"');
  },
);

const snmp = section(
  {
    host: host.describe('Address of the agent.'),
    port: port.prefault(161).describe('Its UDP port.'),
    community: optionalSecret('community', 'File with the SNMP v2c community, which travels in clear.'),
    user: optional(text).describe('User of SNMPv3, with authentication and encryption, instead of the community.'),
    authPassword: optionalSecret('authentication password', 'File with its authentication password.'),
    authProtocol: optional(choice(...SNMP_AUTH_PROTOCOLS)).describe('Its authentication; "sha" where it is missing.'),
    privPassword: optionalSecret(
      'encryption password',
      'File with its encryption password; a wrong one shows as silence.',
    ),
    privProtocol: optional(choice(...SNMP_PRIV_PROTOCOLS)).describe('Its encryption; "aes" where it is missing.'),
  },
  communityOrUser,
);

function communityOrUser(fields: SectionFields, report: Report): void {
  const ofUser = ['authPassword', 'privPassword'].map((name) => hasSecret(name, fields));
  const isUser = given(fields, 'user') || ofUser.includes(true);
  if (!isUser && !hasSecret('community', fields))
    report(null, 'expected "communityFile", or "user" with "authPasswordFile" and "privPasswordFile"');
  if (!isUser) return;
  if (hasSecret('community', fields)) report('user', 'expected a community or a user, not both');
  if (!given(fields, 'user') || ofUser.includes(false))
    report(
      null,
      'expected "user", "authPasswordFile" and "privPasswordFile" together: SNMPv3 without authentication ' +
        'or encryption is not used',
    );
}

const certificate = section({
  license: serial.describe(
    'Number of the licence (EFTM…). Name it under `licenses` when it belongs on this unit: before, nothing is wrong ' +
      'with a licence that waits.',
  ),
  tokens: optional(integer(1, MOST_TOKENS, 'a count of tokens')).describe(
    'How many tokens were bought; those on the unit are compared with it.',
  ),
  redeemBy: optional(day).describe(
    'Its "Certificate Valid Until" date. While no unit has tokens of the licence, ftm-watch warns 90, 30 and 7 days ' +
      'ahead: a certificate that expired cannot be redeemed any more.',
  ),
});

const appliance = section(
  {
    name: name.describe('Name of the unit in messages and metrics; each has its own.'),
    serial: optional(serial).describe('Its serial number, as on its dashboard: licences are looked for under it.'),
    peerSerial: optional(serial).describe(
      'Serial number of its high-availability peer. A licence that sits on the peer is the usual trouble after ' +
        'a migration, and is only recognised with it.',
    ),
    logSources: list(host).describe(
      'Addresses that send its log lines, or host names as they stand in the line. Lines from anywhere else ' +
        'are foreign.',
    ),
    licenses: list(serial).describe('Its FortiToken Mobile licences (EFTM…), as printed on the certificate.'),
    certificates: unique(list(certificate), textAt('license')).describe('What its licence certificates say.'),
    api: optional(api).describe('Its REST API, read only.'),
    snmp: optional(snmp).describe('Its SNMP agent, asked for the high-availability role, serial number and version.'),
    tokensLow: share.prefault(0.1).describe('Warn when less than this share of the licensed tokens is left.'),
  },
  peerIsAnother,
);

export type ApplianceApiConfig = z.output<typeof api>;
export type SnmpConfig = z.output<typeof snmp>;
export type CertificateConfig = z.output<typeof certificate>;
export type ApplianceConfig = z.output<typeof appliance>;

/** The FortiAuthenticator units. */
export const appliances = unique(
  unique(unique(list(appliance), textAt('name')), textAt('serial')),
  logSources,
  (source, owner) => `"${source}" is a log source of appliances[${String(owner)}] already`,
);

function peerIsAnother({ serial: own, peerSerial }: SectionFields, report: Report): void {
  if (typeof own === 'string' && own === peerSerial)
    report('peerSerial', 'expected the serial number of the other unit, got that of this one');
}

/** A line that two units could have sent belongs to neither. */
function logSources(unit: unknown): readonly Label[] {
  return itemsOf(fieldsOf(unit)['logSources']).flatMap((source, index) =>
    typeof source === 'string' ? [{ label: source.toLowerCase(), path: ['logSources', index] }] : [],
  );
}

const firewallEntry = section({
  url: httpsOrigin('https://10.0.0.1').describe('Address of the FortiGate, "https://" without a path.'),
  token: secret('token', 'File with the token of a REST API administrator that only reads.'),
  vdom: text.prefault('root').describe('Virtual domain that the traffic passes.'),
  source: address.describe("Address that FortiAuthenticator's traffic comes from: firewall policies match it."),
  sourceInterface: optional(text).describe(
    'Interface that the traffic arrives on; the default is the one that the route to `source` names.',
  ),
  appliances: list(name).describe('Names of the `appliances` whose traffic comes from `source`; the default is all.'),
  fortitokens: flag
    .prefault(false)
    .describe('Whether the FortiGate holds FortiTokens itself: how many are in which status is noted then.'),
  caFile: authorityFile,
});

export type FirewallConfig = z.output<typeof firewallEntry>;

/** One entry for each address that a FortiGate sees traffic of FortiAuthenticator come from. */
export const firewall = unique(listOrOne(firewallEntry), flow, alreadyAsked);

/** Twice the same question is a slip: two units that share an address share an entry. */
function flow(item: unknown): readonly Label[] {
  const { url, vdom, source } = fieldsOf(item);
  return [url, vdom, source].every((part) => typeof part === 'string')
    ? [{ label: [url, vdom, source].join(' '), path: ['source'] }]
    : [];
}

function alreadyAsked(_: string, owner: number): string {
  return `firewall[${String(owner)}] asks the same: name all units in its "appliances"`;
}

/** More digits than any account has. */
const MAX_ACCOUNT = 999_999_999_999;

export type RegistrationConfig = z.output<typeof registration>;

/** FortiCloud's asset management. */
export const registration = section({
  user: text.describe('API user of FortiCloud (IAM > API Users), with read access to Asset Management.'),
  password: secret('password', "File with the API user's password."),
  accountId: optional(integer(1, MAX_ACCOUNT, 'an account number')).describe(
    'Account to look in, for API users of an organisation.',
  ),
  url: httpsOrigin('https://support.fortinet.com')
    .prefault('https://support.fortinet.com')
    .describe('Where the asset management API is.'),
  authUrl: httpsOrigin('https://customerapiauth.fortinet.com')
    .prefault('https://customerapiauth.fortinet.com')
    .describe('Where access tokens are issued.'),
  caFile: authorityFile,
});

const peer = section({
  name: name.describe('What evidence calls it.'),
  url: httpsOrigin('https://10.0.0.9:9843').describe('Address of its status page, "https://" without a path.'),
  token: optionalSecret('token', 'File with a token of its "web.tokens" that may read.'),
  caFile: authorityFile,
});

export type PeerConfig = z.output<typeof peer>;

/** Other ftm-watch agents. */
export const peers = unique(list(peer), textAt('name'));
