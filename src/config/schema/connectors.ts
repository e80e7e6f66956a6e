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
} from './section.ts';
import { httpsOrigin } from './endpoints.ts';
import { SNMP_AUTH_PROTOCOLS, SNMP_PRIV_PROTOCOLS } from '../../network/snmp/snmp-get.ts';

/** The maximum number of tokens, which is higher than any unit supports. */
const MOST_TOKENS = 1_000_000;

const api = section(
  {
    url: httpsOrigin('https://10.0.0.5').describe(
      'Address of the unit. The URL must begin with "https://" and have no path.',
    ),
    user: text.describe('An administrator account with "Web service access" and a read-only profile.'),
    key: secret('key', "File with the administrator's web service access key."),
    caFile: optional(certificatesFile).describe(
      'PEM file with the authority that signed the certificate of the unit, or with the certificate itself.',
    ),
    pin: optional(pin).describe(
      "SHA-256 hash of the unit's public key, instead of caFile, for a unit with a factory certificate.",
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
    community: optionalSecret('community', 'File with the SNMP v2c community, which is sent unencrypted.'),
    user: optional(text).describe('SNMPv3 user with authentication and encryption, instead of a community.'),
    authPassword: optionalSecret('authentication password', 'File with the authentication password.'),
    authProtocol: optional(choice(...SNMP_AUTH_PROTOCOLS)).describe('Authentication protocol. The default is "sha".'),
    privPassword: optionalSecret(
      'encryption password',
      'File with the encryption password. A wrong password causes a timeout.',
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
      'expected "user", "authPasswordFile" and "privPasswordFile" together, because SNMPv3 without authentication or ' +
        'encryption is not supported',
    );
}

const certificate = section({
  license: serial.describe(
    'Number of the licence (EFTM…). Also list the licence under `licenses`, but only if the licence belongs on this ' +
      'unit.',
  ),
  tokens: optional(integer(1, MOST_TOKENS, 'a count of tokens')).describe(
    'Number of tokens bought, for comparison with the tokens on the unit.',
  ),
  redeemBy: optional(day).describe(
    'The "Certificate Valid Until" date. As long as no unit has tokens of the licence, ftm-watch sends a warning 90, ' +
      '30 and 7 days before this date. An expired certificate cannot be redeemed.',
  ),
});

const appliance = section(
  {
    name: name.describe('Unique name of the unit in messages and metrics.'),
    serial: optional(serial).describe(
      "Serial number of the unit, as shown on its dashboard. The unit's licences must be registered to this serial " +
        'number.',
    ),
    peerSerial: optional(serial).describe(
      'Serial number of the high-availability peer. ftm-watch then finds licences that are registered to the peer, ' +
        'which is a common problem after a migration.',
    ),
    logSources: list(host).describe(
      "Source addresses of the unit's log lines, or host names in these lines. Lines from other senders are counted " +
        'as foreign.',
    ),
    licenses: list(serial).describe(
      "Numbers of the unit's FortiToken Mobile licences (EFTM…), as printed on the certificates.",
    ),
    certificates: unique(list(certificate), textAt('license')).describe(
      'Data from the licence certificates of the unit.',
    ),
    api: optional(api).describe("The unit's REST API (read-only access)."),
    snmp: optional(snmp).describe(
      "The unit's SNMP agent, which provides the high-availability role, serial number and version.",
    ),
    tokensLow: share
      .prefault(0.1)
      .describe('A warning is sent when less than this share of the licensed tokens is left.'),
  },
  peerIsAnother,
);

export type ApplianceApiConfig = z.output<typeof api>;
export type SnmpConfig = z.output<typeof snmp>;
export type ApplianceConfig = z.output<typeof appliance>;

/** The FortiAuthenticator units to monitor. */
export const appliances = unique(
  unique(unique(list(appliance), textAt('name')), textAt('serial')),
  logSources,
  (source, owner) => `"${source}" is already a log source of appliances[${String(owner)}]`,
);

function peerIsAnother({ serial: own, peerSerial }: SectionFields, report: Report): void {
  if (typeof own === 'string' && own === peerSerial)
    report('peerSerial', 'expected the serial number of the other unit, got the serial number of this unit');
}

/**
 * Returns the log sources of a unit. Two units cannot share a log source, because their log lines could not be told
 * apart.
 */
function logSources(unit: unknown): readonly Label[] {
  return itemsOf(fieldsOf(unit)['logSources']).flatMap((source, index) =>
    typeof source === 'string' ? [{ label: source.toLowerCase(), path: ['logSources', index] }] : [],
  );
}

const firewallEntry = section({
  url: httpsOrigin('https://10.0.0.1').describe(
    'Address of the FortiGate. The URL must begin with "https://" and have no path.',
  ),
  token: secret('token', 'File with the token of a read-only REST API administrator.'),
  vdom: text.prefault('root').describe('Virtual domain (VDOM) of the traffic.'),
  source: address.describe("Source address of FortiAuthenticator's traffic."),
  sourceInterface: optional(text).describe(
    'Interface on which the traffic arrives. The default is the interface of the route to `source`.',
  ),
  appliances: list(name).describe(
    'Names of the `appliances` whose traffic comes from `source`. The default is all appliances.',
  ),
  caFile: authorityFile,
});

export type FirewallConfig = z.output<typeof firewallEntry>;

/**
 * The FortiGates to query. Each entry describes one source address of FortiAuthenticator's traffic as a FortiGate sees
 * it.
 */
export const firewall = unique(listOrOne(firewallEntry), flow, alreadyAsked);

/**
 * Returns a label that identifies the entry's query. A repeated label is a mistake, because units that share an address
 * also share an entry.
 */
function flow(item: unknown): readonly Label[] {
  const { url, vdom, source } = fieldsOf(item);
  return [url, vdom, source].every((part) => typeof part === 'string')
    ? [{ label: [url, vdom, source].join(' '), path: ['source'] }]
    : [];
}

function alreadyAsked(_: string, owner: number): string {
  return `firewall[${String(owner)}] has the same query; list all units in its "appliances"`;
}

/** The maximum account ID, which is higher than any real account ID. */
const MAX_ACCOUNT = 999_999_999_999;

export type RegistrationConfig = z.output<typeof registration>;

/** The login for FortiCloud's asset management. */
export const registration = section({
  user: text.describe('FortiCloud API user (IAM > API Users) with read access to Asset Management.'),
  password: secret('password', "File with the API user's password."),
  accountId: optional(integer(1, MAX_ACCOUNT, 'an account number')).describe(
    'Account number, required for API users of an organisation.',
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
  url: httpsOrigin('https://10.0.0.9:9843').describe(
    'Address of the other status page. The URL must begin with "https://" and have no path.',
  ),
  token: optionalSecret('token', 'File with a token from `web.tokens` of the other agent, with the role "read".'),
  caFile: authorityFile,
});

/** Other ftm-watch agents whose status is queried. */
export const peers = unique(list(peer), textAt('name'));
