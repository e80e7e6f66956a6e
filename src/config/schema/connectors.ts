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

const MOST_TOKENS = 1_000_000;

const api = section(
  {
    url: httpsOrigin('https://10.0.0.5').describe('URL of the unit, with "https://" and without a path.'),
    user: text.describe('An administrator account with "Web service access" and a read-only profile.'),
    key: secret('key', "Reads the administrator's web service access key from this file."),
    caFile: optional(certificatesFile).describe(
      "Authority that signed the unit's certificate, or the certificate itself, in PEM format.",
    ),
    pin: optional(pin).describe(
      "SHA-256 hash of the unit's public key. Use it instead of `caFile` for a unit with a factory certificate.",
    ),
  },
  (fields, report) => {
    if (given(fields, 'caFile') && given(fields, 'pin')) report('pin', 'expected only one of "caFile" and "pin"');
  },
);

const snmp = section(
  {
    host: host.describe('Address of the SNMP agent.'),
    port: port.prefault(161).describe('UDP port of the SNMP agent.'),
    community: optionalSecret(
      'community',
      'Reads the SNMPv2c community from this file. SNMPv2c sends the community unencrypted.',
    ),
    user: optional(text).describe(
      'SNMPv3 user, used instead of a community. Authentication and encryption are required.',
    ),
    authPassword: optionalSecret('authentication password', 'Reads the authentication password from this file.'),
    authProtocol: optional(choice(...SNMP_AUTH_PROTOCOLS)).describe('Authentication protocol. The default is "sha".'),
    privPassword: optionalSecret(
      'encryption password',
      'Reads the encryption password from this file. A wrong password causes a timeout.',
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
    'Licence number (EFTM…) on the certificate. If the licence belongs on this unit, also list it under `licenses`.',
  ),
  tokens: optional(integer(1, MOST_TOKENS, 'a count of tokens')).describe(
    'Number of tokens bought, which is compared with the number of tokens on the unit.',
  ),
  redeemBy: optional(day).describe(
    'Date printed as "Certificate Valid Until". Warnings are sent 90, 30 and 7 days before this date, ' +
      'until a unit has tokens from the licence. An expired certificate cannot be redeemed.',
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
      'Serial number of the high-availability peer. If set, ftm-watch detects licences that are registered to the ' +
        'peer, a common problem after a migration.',
    ),
    logSources: list(host).describe(
      "Source addresses of the unit's log lines, or host names in these lines. Lines from other senders are counted " +
        'as foreign.',
    ),
    licenses: list(serial).describe(
      "Numbers of the unit's FortiToken Mobile licences (EFTM…), as printed on the certificates.",
    ),
    certificates: unique(list(certificate), textAt('license')).describe(
      "Data printed on the unit's licence certificates.",
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

export const appliances = unique(
  unique(unique(list(appliance), textAt('name')), textAt('serial')),
  logSources,
  (source, owner) => `"${source}" is already a log source of appliances[${String(owner)}]`,
);

function peerIsAnother({ serial: own, peerSerial }: SectionFields, report: Report): void {
  if (typeof own === 'string' && own === peerSerial)
    report('peerSerial', 'expected the serial number of the other unit, got the serial number of this unit');
}

/** Two units cannot share a log source, because their lines would be indistinguishable. */
function logSources(unit: unknown): readonly Label[] {
  return itemsOf(fieldsOf(unit)['logSources']).flatMap((source, index) =>
    typeof source === 'string' ? [{ label: source.toLowerCase(), path: ['logSources', index] }] : [],
  );
}

const firewallEntry = section({
  url: httpsOrigin('https://10.0.0.1').describe('URL of the FortiGate, with "https://" and without a path.'),
  token: secret('token', 'Reads the token of a read-only REST API administrator from this file.'),
  vdom: text.prefault('root').describe('Virtual domain (VDOM) that the traffic passes through.'),
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

/** Each entry is one source address of FortiAuthenticator's traffic, as the FortiGate sees it. */
export const firewall = unique(listOrOne(firewallEntry), flow, alreadyAsked);

/** A repeated label is a mistake, because units that share an address also share an entry. */
function flow(item: unknown): readonly Label[] {
  const { url, vdom, source } = fieldsOf(item);
  return [url, vdom, source].every((part) => typeof part === 'string')
    ? [{ label: [url, vdom, source].join(' '), path: ['source'] }]
    : [];
}

function alreadyAsked(_: string, owner: number): string {
  return `firewall[${String(owner)}] has the same query; list all units in its "appliances"`;
}

const MAX_ACCOUNT = 999_999_999_999;

export type RegistrationConfig = z.output<typeof registration>;

export const registration = section({
  user: text.describe('FortiCloud API user (IAM > API Users) with read access to Asset Management.'),
  password: secret('password', "Reads the API user's password from this file."),
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
  name: name.describe('Unique name of the agent in evidence.'),
  url: httpsOrigin('https://10.0.0.9:9843').describe('URL of the other agent, with "https://" and without a path.'),
  token: optionalSecret(
    'token',
    'Reads the token from this file. The other agent must list it in `web.tokens`, with the role "read".',
  ),
  caFile: authorityFile,
});

export const peers = unique(list(peer), textAt('name'));
