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
    user: text.describe('An administrator with "Web service access" and a read-only profile.'),
    key: secret('key', "File with the user's web service access key."),
    caFile: optional(certificatesFile).describe(
      'PEM file of the authority that signed its certificate, or of the certificate itself.',
    ),
    pin: optional(pin).describe('SHA-256 of its public key, instead of caFile, for a unit with a factory certificate.'),
  },
  (fields, report) => {
    if (given(fields, 'caFile') && given(fields, 'pin')) report('pin', 'expected only one of "caFile" and "pin"');
  },
);

const snmp = section(
  {
    host: host.describe('Address of the agent.'),
    port: port.prefault(161).describe('Its UDP port.'),
    community: optionalSecret('community', 'File with the SNMP v2c community, which is sent in clear.'),
    user: optional(text).describe('User of SNMPv3, with authentication and encryption, instead of the community.'),
    authPassword: optionalSecret('authentication password', 'File with its authentication password.'),
    authProtocol: optional(choice(...SNMP_AUTH_PROTOCOLS)).describe('Authentication protocol. The default is "sha".'),
    privPassword: optionalSecret(
      'encryption password',
      'File with its encryption password. A wrong one looks like silence.',
    ),
    privProtocol: optional(choice(...SNMP_PRIV_PROTOCOLS)).describe('Encryption protocol. The default is "aes".'),
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
    'Number of the licence (EFTM…). List it under `licenses` only when it belongs on this unit.',
  ),
  tokens: optional(integer(1, MOST_TOKENS, 'a count of tokens')).describe(
    'Number of tokens bought, to compare with those on the unit.',
  ),
  redeemBy: optional(day).describe(
    'Its "Certificate Valid Until" date. While no unit has tokens of the licence, ftm-watch warns 90, 30 and ' +
      '7 days before. An expired certificate cannot be redeemed.',
  ),
});

const appliance = section(
  {
    name: name.describe('Unique name of the unit in messages and metrics.'),
    serial: optional(serial).describe('Its serial number, as on its dashboard. Its licences must be registered to it.'),
    peerSerial: optional(serial).describe(
      'Serial number of its high-availability peer, to find licences that are registered to the peer, the usual ' +
        'problem after a migration.',
    ),
    logSources: list(host).describe(
      'Addresses that send its log lines, or host names as they are in the line. Other lines are foreign.',
    ),
    licenses: list(serial).describe('Its FortiToken Mobile licences (EFTM…), as printed on the certificate.'),
    certificates: unique(list(certificate), textAt('license')).describe('Data from its licence certificates.'),
    api: optional(api).describe('Its REST API, read only.'),
    snmp: optional(snmp).describe('Its SNMP agent, for the high-availability role, serial number and version.'),
    tokensLow: share.prefault(0.1).describe('Warn when less than this share of the licensed tokens is left.'),
  },
  peerIsAnother,
);

export type ApplianceApiConfig = z.output<typeof api>;
export type SnmpConfig = z.output<typeof snmp>;
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

/** A line that could be from two units is attributed to neither. */
function logSources(unit: unknown): readonly Label[] {
  return itemsOf(fieldsOf(unit)['logSources']).flatMap((source, index) =>
    typeof source === 'string' ? [{ label: source.toLowerCase(), path: ['logSources', index] }] : [],
  );
}

const firewallEntry = section({
  url: httpsOrigin('https://10.0.0.1').describe('Address of the FortiGate, "https://" without a path.'),
  token: secret('token', 'File with the token of a read-only REST API administrator.'),
  vdom: text.prefault('root').describe('Virtual domain of the traffic.'),
  source: address.describe("Address that FortiAuthenticator's traffic comes from."),
  sourceInterface: optional(text).describe(
    'Interface that the traffic arrives on. The default is that of the route to `source`.',
  ),
  appliances: list(name).describe('Names of the `appliances` whose traffic comes from `source`. The default is all.'),
  fortitokens: flag
    .prefault(false)
    .describe('Whether the FortiGate holds FortiTokens itself. Their number by status is noted.'),
  caFile: authorityFile,
});

export type FirewallConfig = z.output<typeof firewallEntry>;

/** One entry for each source address of FortiAuthenticator's traffic that a FortiGate sees. */
export const firewall = unique(listOrOne(firewallEntry), flow, alreadyAsked);

/** A duplicate query is a mistake, because two units with the same address share an entry. */
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
    'Account, for API users of an organisation.',
  ),
  url: httpsOrigin('https://support.fortinet.com')
    .prefault('https://support.fortinet.com')
    .describe('URL of the asset management API.'),
  authUrl: httpsOrigin('https://customerapiauth.fortinet.com')
    .prefault('https://customerapiauth.fortinet.com')
    .describe('URL of the service that issues access tokens.'),
  caFile: authorityFile,
});

const peer = section({
  name: name.describe('Name in the evidence.'),
  url: httpsOrigin('https://10.0.0.9:9843').describe('Address of its status page, "https://" without a path.'),
  token: optionalSecret('token', 'File with one of its "web.tokens" with the role read.'),
  caFile: authorityFile,
});

/** Other ftm-watch agents. */
export const peers = unique(list(peer), textAt('name'));
