import { type Fields, fieldsOf } from '../../core/fields.ts';
import * as z from 'zod';
import type { Millis } from '../../core/clock.ts';
import { FEWEST_NETWORKS } from '../../core/outside.ts';
import { SNMP_AUTH_PROTOCOLS, SNMP_PRIV_PROTOCOLS } from '../../network/snmp/login.ts';
import { hostPort, httpsOrigin, isReadableOnTheWay, listenAddress, webUrl } from './endpoints.ts';
import {
  authorityFile,
  certificatesFile,
  laterFile,
  optionalSecret,
  proxy,
  readableFile,
  relayShape,
  resolvers,
  secret,
  withPort,
} from './secret.ts';
import {
  address,
  addressBlock,
  hostOrBlock,
  choice,
  country,
  day,
  duration,
  endpoint,
  expected,
  flag,
  given,
  hasSecret,
  host,
  integer,
  isHost,
  itemsOf,
  type Label,
  list,
  listOrOne,
  mailAddress,
  name,
  optional,
  pin,
  port,
  type Report,
  requireLogin,
  section,
  serial,
  serverName,
  serverNameOf,
  share,
  text,
  textAt,
  unique,
  unquoted,
  urlPath,
} from './section.ts';

const HOST = 'fortitokenmobile.fortinet.com';
const ADDRESSES: readonly string[] = ['173.243.138.84', '173.243.138.0/24'];

const addresses: z.ZodType<readonly string[]> = z.array(addressBlock, expected('a list'));

export type LicenseServerConfig = z.output<typeof licenseServer>;

const licenseServer = section({
  host: host
    .prefault(HOST)
    .describe('Server that activates and provisions FortiToken Mobile tokens, as configured in FortiAuthenticator.'),
  port: port.prefault(443).describe('TCP port to connect to.'),
  serverName: serverName.describe(
    'Server name sent in the TLS handshake (SNI). The default is the host name. If the host is an address or this ' +
      'key is null, no server name is sent.',
  ),
  path: urlPath.prefault('/').describe('Path that the HTTP probe requests. Any status below 500 counts as success.'),
  expectedAddresses: addresses
    .meta({ default: ADDRESSES })
    .optional()
    .describe(
      'Addresses and CIDR blocks that resolvers are expected to return. Any other public address raises a warning. ' +
        'A private address also raises a warning if the genuine certificate is presented there. Otherwise, it counts ' +
        'as a hijacked answer. If no resolver answers, the listed individual addresses are probed. The default is ' +
        "Fortinet's network. For any other host, the default is empty, and any public address is accepted.",
    ),
  family: z
    .literal(
      ['auto', 4, 6],
      unquoted('"auto", 4 or 6', (value) => value === '4' || value === '6'),
    )
    .prefault('auto')
    .describe(
      'Address family that FortiAuthenticator uses. If 4 or 6, only that family is checked. If "auto", IPv4 ' +
        'determines the result if the name has IPv4 addresses and this machine has a route to them. In that case, ' +
        'faults that affect only IPv6 are warnings.',
    ),
  proxy: optional(proxy).describe(
    'HTTP proxy through which FortiAuthenticator reaches the server (CONNECT). Use a URL, or a section if the ' +
      'proxy requires a password.',
  ),
}).transform((given) => ({
  ...given,
  serverName: serverNameOf(given),
  expectedAddresses: given.expectedAddresses ?? (given.host === HOST ? ADDRESSES : []),
}));

const trustProfile = choice('fortinet', 'public', 'pinned');
const pins = list(pin);
const caFiles = list(readableFile);

export type TrustConfig = z.output<typeof trust>;

const trust = section({
  profile: trustProfile
    .prefault('fortinet')
    .describe(
      "How the licence server's certificate is verified. " +
        '"fortinet" uses the keys of authorities that belong to Fortinet, "public" uses the authorities that ' +
        'browsers trust, and "pinned" uses only pins, files and learned keys.',
    ),
  pins: pins.describe('Additional trusted public keys, as SHA-256 hashes of the SubjectPublicKeyInfo.'),
  caFiles: caFiles.describe('Additional root certificates, in PEM format.'),
  baselineFile: laterFile
    .prefault('data/trust-baseline.json')
    .describe('File in which "ftm-watch trust learn" stores the chain that it received on a clean path.'),
  productFiles: list(readableFile).describe(
    'Additional inspection products, in the format of config/inspection-products.yaml.',
  ),
});

const CARRIERS = ['push', 'sms', 'answers', 'fortigate', 'cloud'] as const;

const knownName = choice('push', 'sms', 'directregistration', 'globalftm', 'fortitoken-cloud');

export type Carrier = (typeof CARRIERS)[number];

const service = z.lazy(() =>
  section({
    name: name.describe('Unique name of the service in messages and metrics.'),
    host: host.describe('Host name or address of the service.'),
    port: port.prefault(443).describe('TCP port to connect to.'),
    serverName: serverName.describe(
      'Server name sent in the TLS handshake. The default is the host. If null, no server name is sent.',
    ),
    trust: section({
      profile: trustProfile
        .prefault('public')
        .describe("How the service's certificate is verified, as in `trust.profile`."),
      pins: pins.describe('Trusted public keys, as in `trust.pins`.'),
      caFiles: caFiles.describe('Root certificates, in PEM format.'),
    })
      .prefault({})
      .describe("How the service's certificate is verified."),
    carries: optional(choice(...CARRIERS)).describe(
      'What the service is used for, as described in messages: "push" for push notifications, "sms" for text ' +
        'messages, "answers" for the public name of FortiAuthenticator to which phones send their answers, ' +
        '"fortigate" for the activation of tokens on a FortiGate, and "cloud" for FortiIdentity Cloud (formerly ' +
        'FortiToken Cloud).',
    ),
    severity: choice('critical', 'warning', 'info')
      .prefault('warning')
      .describe(
        'Severity of faults that affect the service. By default, such faults are warnings, because activation does ' +
          'not need the service.',
      ),
  }).transform((given) => ({ ...given, serverName: serverNameOf(given) })),
);

export type ServiceConfig = z.output<typeof service>;

/** Fortinet does not document which CA issues these certificates. */
function known(name: string, hostName: string, carries: Carrier): ServiceConfig {
  const trust = { profile: 'public', pins: [], caFiles: [] } as const;
  return { name, host: hostName, port: 443, serverName: hostName, trust, severity: 'warning', carries };
}

/**
 * Fortinet's hosts for push notifications (ta-p/333425), SMS through FortiGuard (ta-p/117091), tokens on a FortiGate
 * (ta-p/194508; docs:fortigate/7.0.14/administration-guide/180506) and FortiIdentity Cloud, formerly FortiToken
 * Cloud (ta-p/275159).
 */
const KNOWN: Readonly<Record<z.output<typeof knownName>, ServiceConfig>> = {
  push: known('push', 'push.fortinet.com', 'push'),
  sms: known('sms', 'msgctrl1.fortinet.com', 'sms'),
  directregistration: known('directregistration', 'directregistration.fortinet.com', 'fortigate'),
  globalftm: known('globalftm', 'globalftm.fortinet.net', 'fortigate'),
  'fortitoken-cloud': known('fortitoken-cloud', 'ftc.fortinet.com', 'cloud'),
};

const knownOrSection = z.union(
  [service, knownName.transform((given) => KNOWN[given])],
  expected('a section (keys and values), or a name like "push"'),
);

const services = unique(list(knownOrSection), textAt('name'));

const MOST_TOKENS = 1_000_000;

const api = z.lazy(() =>
  section(
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
  ),
);

const snmp = z.lazy(() =>
  section(
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
  ),
);

function communityOrUser(fields: Fields, report: Report): void {
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

const licenseCertificate = z.lazy(() =>
  section({
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
  }),
);

const appliance = z.lazy(() =>
  section(
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
        "Source addresses of the unit's log lines, or host names in these lines. Lines from other senders are " +
          'counted as foreign.',
      ),
      licenses: list(serial).describe(
        "Numbers of the unit's FortiToken Mobile licences (EFTM…), as printed on the certificates.",
      ),
      certificates: unique(list(licenseCertificate), textAt('license')).describe(
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
  ),
);

export type ApplianceApiConfig = z.output<typeof api>;
export type SnmpConfig = z.output<typeof snmp>;
export type ApplianceConfig = z.output<typeof appliance>;

const appliances = unique(
  unique(unique(list(appliance), textAt('name')), textAt('serial')),
  logSources,
  (source, owner) => `"${source}" is already a log source of appliances[${String(owner)}]`,
);

function peerIsAnother({ serial: own, peerSerial }: Fields, report: Report): void {
  if (typeof own === 'string' && own === peerSerial)
    report('peerSerial', 'expected the serial number of the other unit, got the serial number of this unit');
}

/** Two units cannot share a log source, because their lines would be indistinguishable. */
function logSources(unit: unknown): readonly Label[] {
  return itemsOf(fieldsOf(unit)['logSources']).flatMap((source, index) =>
    typeof source === 'string' ? [{ label: source.toLowerCase(), path: ['logSources', index] }] : [],
  );
}

const firewallEntry = z.lazy(() =>
  section({
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
  }),
);

export type FirewallConfig = z.output<typeof firewallEntry>;

/** Each entry is one source address of FortiAuthenticator's traffic, as the FortiGate sees it. */
const firewall = unique(listOrOne(firewallEntry), flow, alreadyAsked);

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

const registration = section({
  user: text.describe('FortiCloud API user (IAM > API Users) with read access to Asset Management.'),
  password: secret('password', "Reads the API user's password from this file."),
  accountId: optional(integer(1, MAX_ACCOUNT, 'an account number')).describe(
    'Account number, required for API users of an organization.',
  ),
  url: httpsOrigin('https://support.fortinet.com')
    .prefault('https://support.fortinet.com')
    .describe('URL of the asset management API.'),
  authUrl: httpsOrigin('https://customerapiauth.fortinet.com')
    .prefault('https://customerapiauth.fortinet.com')
    .describe('URL of the service that issues access tokens.'),
  caFile: authorityFile,
});

const peer = z.lazy(() =>
  section({
    name: name.describe('Unique name of the agent in evidence.'),
    url: httpsOrigin('https://10.0.0.9:9843').describe('URL of the other agent, with "https://" and without a path.'),
    token: optionalSecret(
      'token',
      'Reads the token from this file. The other agent must list it in `web.tokens`, with the role "read".',
    ),
    caFile: authorityFile,
  }),
);

const peers = unique(list(peer), textAt('name'));

/** With one measurement of each kind in 15 minutes, all probes stay below the API's 250 tests an hour. */
const MOST_PROBES = 15;

const globalping = section(
  {
    countries: list(country)
      .prefault(['DE', 'US'])
      .describe('Countries of the probes, as codes with two letters. An empty list means anywhere.'),
    probes: integer(FEWEST_NETWORKS, MOST_PROBES, 'a number of probes')
      .prefault(5)
      .describe('Number of probes for each measurement.'),
    token: optionalSecret(
      'token',
      "Reads the token of a Globalping account from this file. Without a token, the service's limits for anonymous " +
        'use apply.',
    ),
    url: webUrl('https://api.globalping.io')
      .prefault('https://api.globalping.io')
      .describe(
        'URL of the API. Set it only if requests must take a relay on this machine. Other relays need "https://" and ' +
          'a certificate from a public authority.',
      ),
  },
  ({ url }, report) => {
    if (typeof url === 'string' && isReadableOnTheWay(url))
      report('url', 'expected a URL that begins with "https://", because results could otherwise be forged on the way');
  },
);

const outside = section({
  globalping: globalping
    .prefault({})
    .describe(
      "Globalping, a free public service. ftm-watch sends it the licence server's name and port and the wanted " +
        'countries, and nothing else.',
    ),
});

const HTTPS_PORT = 443;
const NTP_PORT = 123;
const HOUR: Millis = 3_600_000;
const DAY = 24 * HOUR;

const mailServer = z.lazy(() =>
  section(
    {
      ...relayShape,
      applianceCaFile: optional(certificatesFile).describe(
        'Root authorities that FortiAuthenticator trusts (Certificate Management > Certificate Authorities > Trusted ' +
          "CAs), in PEM format. The server's certificate must be signed by one of them. Set this instead of " +
          "`caFile`, which describes only this machine's trust, to find out whether FortiAuthenticator accepts the " +
          'certificate.',
      ),
      from: optional(mailAddress).describe(
        'Sender address that FortiAuthenticator uses. If `from` and `to` are set, the probe rehearses sending a ' +
          'message. Otherwise, the probe ends after the login.',
      ),
      to: optional(mailAddress).describe('Recipient for the rehearsal (RCPT TO). No message is sent.'),
      timeout: duration(10_000)
        .prefault('5s')
        .describe(
          'How long FortiAuthenticator waits for a reply from this server. A warning is raised if a reply takes ' +
            'longer.',
        ),
      required: flag
        .prefault(false)
        .describe(
          'Set to true if a failure of this server should be critical even if another server in `mail` works. ' +
            'Otherwise, such a failure is a warning.',
        ),
    },
    (fields, report) => {
      requireLogin(fields, report);
      requireBothEnds(fields, report);
      requireOneTrust(fields, report);
    },
  ).transform(withPort),
);

export type MailServerConfig = z.output<typeof mailServer>;

const mail = unique(list(mailServer), endpoint);

function requireBothEnds(fields: Fields, report: Report): void {
  if (given(fields, 'from') && !given(fields, 'to'))
    report('from', 'expected "to" in addition to "from", because the rehearsal needs both');
  if (given(fields, 'to') && !given(fields, 'from'))
    report('to', 'expected "from" in addition to "to", because the rehearsal needs both');
}

function requireOneTrust(fields: Fields, report: Report): void {
  if (given(fields, 'caFile') && given(fields, 'applianceCaFile'))
    report('applianceCaFile', 'expected only one of "caFile" and "applianceCaFile"');
}

export interface MailServer extends MailServerConfig {
  /** True if the server was found through FortiAuthenticator's API, which does not return the login. */
  readonly isLoginUnknown?: true;
}

/** FortiAuthenticator's default timeout. The API does not return the configured timeout. */
export const USUAL_PATIENCE: Millis = 5000;

const FINGERPRINT = /^sha-256:(?:[0-9a-f]{2}:){31}[0-9a-f]{2}$/iu;

const certificate = z.lazy(() =>
  section({
    name: text
      .refine(
        (value) => FINGERPRINT.test(value) || isHost(value),
        expected('a host name, or "sha-256:" and 32 bytes such as "AB:CD:…"'),
      )
      .describe('DNS name or common name in the certificate, or its fingerprint: "sha-256:AB:CD:…".'),
    appliance: name.describe('Name of the unit in `appliances`.'),
  }),
);

const syslogTls = section(
  {
    listen: listenAddress.describe('Address to listen on for syslog over TLS.'),
    certFile: readableFile.describe(
      'Certificate of this listener, followed by its intermediate certificates, in PEM format.',
    ),
    keyFile: readableFile.describe('Private key of the certificate, in PEM format.'),
    clientCaFile: optional(readableFile).describe(
      'Authority in PEM format. If set, senders must present a certificate that this authority has signed.',
    ),
    clientCrlFile: optional(readableFile).describe(
      'Certificate revocation lists in PEM format, one for each authority in a chain.',
    ),
    certificates: unique(list(certificate), textAt('name')).describe(
      'Assigns client certificates to units. If a unit is listed here, its lines are accepted from the network ' +
        'only with its certificate or through a relay.',
    ),
  },
  clientsNeedAuthorities,
);

function clientsNeedAuthorities(fields: Fields, report: Report): void {
  if (given(fields, 'clientCaFile')) return;
  const message = 'expected "clientCaFile" as well, because client certificates are not verified without it';
  if (given(fields, 'clientCrlFile')) report('clientCrlFile', message);
  if (itemsOf(fields['certificates']).length > 0) report('certificates', message);
}

const syslog = section({
  udp: optional(listenAddress).describe(
    'Address to listen on for syslog over UDP. The sender of a datagram can be forged. Use TLS on untrusted networks.',
  ),
  tcp: optional(listenAddress).describe('Address to listen on for syslog over TCP.'),
  tls: optional(syslogTls).describe('Listener for syslog over TLS.'),
});

const logs = section({
  syslog: syslog
    .prefault({})
    .describe(
      "Listeners for FortiAuthenticator's syslog (Logging > Log Config > Syslog Servers). By default, no listener is " +
        'open.',
    ),
  files: list(laterFile).describe(
    'Log files to follow, written by a syslog server on this machine. Rotation is detected, and the files need ' +
      'not exist at startup.',
  ),
  relays: list(hostOrBlock).describe(
    'Syslog servers that forward lines. The host name in a line is trusted only if the line comes from one of these ' +
      'addresses. If this list contains no address, the host name is always trusted. If a server writes its own name ' +
      'in front of the line that it received, list this name as well.',
  ),
  window: duration(DAY).prefault('15m').describe('How long an error in the log affects the results.'),
  silentAfter: duration(30 * DAY)
    .prefault('24h')
    .describe('How long an appliance can go without sending a line before it is reported (`appliance-silent`).'),
  foreign: choice('count', 'refuse')
    .prefault('count')
    .describe(
      'How lines from unknown senders are handled. "count" counts the lines, but otherwise ignores them. ' +
        '"refuse" also closes the connection.',
    ),
  signatureFiles: list(readableFile).describe(
    'Additional log signatures, in the format of config/fac-signatures.yaml.',
  ),
});

const clock = section({
  ntp: list(hostPort(NTP_PORT)).describe(
    'NTP servers whose time is compared with the local clock. By default, Date headers of web servers are used ' +
      'instead.',
  ),
  maxOffset: duration(HOUR)
    .prefault('30s')
    .describe(
      'Maximum offset of the local clock. A larger offset is reported, because certificates and tokens depend on ' +
        'the correct time.',
    ),
});

export const watchedSections = {
  licenseServer: licenseServer.prefault({}).describe("Fortinet's FortiToken Mobile licence server."),
  trust: trust.prefault({}).describe("How the licence server's certificate is verified."),
  services: services.describe('Other hosts to which FortiAuthenticator connects, such as the push service.'),
  resolvers: resolvers
    .prefault(['system'])
    .describe('DNS resolvers, each of which is queried separately. List the resolvers that FortiAuthenticator uses.'),
  sourceAddress: optional(address).describe('Local address that probes use, for machines with multiple addresses.'),
  controlHosts: list(hostPort(HTTPS_PORT))
    .prefault(['www.fortinet.com:443', 'www.iana.org:443'])
    .describe(
      'Unrelated hosts that show whether the whole internet is unreachable or only the licence server. It is not ' +
        'a fault if a firewall blocks these hosts.',
    ),
  mail: mail.describe('Mail servers that FortiAuthenticator uses to send activation codes.'),
  clock: clock.prefault({}).describe('How the local clock is checked.'),
  appliances: appliances.describe('The FortiAuthenticator units.'),
  firmwareFactFiles: list(readableFile).describe(
    "Additional facts about versions of FortiAuthenticator's firmware, in the format of config/firmware-facts.yaml.",
  ),
  logs: logs.prefault({}).describe("How FortiAuthenticator's log is received and evaluated."),
  registration: optional(registration).describe(
    'FortiCloud asset management (read-only access), which reports the unit that a licence is registered to.',
  ),
  firewall: firewall.describe(
    "FortiGates on the path (read-only access), which report the policy that matches FortiAuthenticator's traffic. " +
      'Add one entry for each source address of the traffic. A single entry does not require a list.',
  ),
  outside: optional(outside).describe(
    'Looks at the licence server from other networks when a fault is suspected, to find out whether this site or ' +
      'Fortinet has the fault. Off by default.',
  ),
  peers: peers.describe(
    'Other ftm-watch agents on the same network segment as FortiAuthenticator. The status of these agents is read on ' +
      'the `schedule.appliance` schedule.',
  ),
};

export type WatchedConfig = {
  readonly [Key in keyof typeof watchedSections]: z.output<(typeof watchedSections)[Key]>;
};
