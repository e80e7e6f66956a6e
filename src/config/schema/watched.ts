import type * as z from 'zod';
import type { Millis } from '../../core/clock.ts';
import { appliances, firewall, peers, registration } from './connectors.ts';
import { hostPort, listenAddress } from './endpoints.ts';
import { licenseServer, services, trust } from './path.ts';
import { laterFile, readableFile, relayShape, resolvers, withPort } from './secret.ts';
import {
  address,
  addressBlock,
  choice,
  completed,
  duration,
  endpoint,
  expected,
  flag,
  given,
  isHost,
  itemsOf,
  list,
  mailAddress,
  name,
  optional,
  type Report,
  requireLogin,
  section,
  type SectionFields,
  text,
  textAt,
  unique,
} from './section.ts';

const HTTPS_PORT = 443;
const NTP_PORT = 123;
const HOUR: Millis = 3_600_000;
const DAY = 24 * HOUR;

const mailServer = completed(
  section(
    {
      ...relayShape,
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
    },
  ),
  withPort,
);

export type MailServerConfig = z.output<typeof mailServer>;

const mail = unique(list(mailServer), endpoint);

function requireBothEnds(fields: SectionFields, report: Report): void {
  if (given(fields, 'from') && !given(fields, 'to'))
    report('from', 'expected "to" in addition to "from", because the rehearsal needs both');
  if (given(fields, 'to') && !given(fields, 'from'))
    report('to', 'expected "from" in addition to "to", because the rehearsal needs both');
}

export interface MailServer extends MailServerConfig {
  /** True if the server was found through FortiAuthenticator's API, which does not return the login. */
  readonly isLoginUnknown?: true;
}

/** FortiAuthenticator's default timeout. The API does not return the configured timeout. */
export const USUAL_PATIENCE: Millis = 5000;

const FINGERPRINT = /^sha-256:(?:[0-9a-f]{2}:){31}[0-9a-f]{2}$/iu;

const certificate = section({
  name: text
    .refine(
      (value) => FINGERPRINT.test(value) || isHost(value),
      expected('a host name, or "sha-256:" and 32 bytes such as "AB:CD:…"'),
    )
    .describe('DNS name or common name in the certificate, or its fingerprint: "sha-256:AB:CD:…".'),
  appliance: name.describe('Name of the unit in `appliances`.'),
});

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

function clientsNeedAuthorities(fields: SectionFields, report: Report): void {
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
  relays: list(addressBlock).describe(
    'Syslog servers that forward lines. The host name in a line is trusted only if the line comes from one of these ' +
      'servers. If this list is empty, the host name is always trusted.',
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
        'the time.',
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
  logs: logs.prefault({}).describe("How FortiAuthenticator's log is received and evaluated."),
  registration: optional(registration).describe(
    'FortiCloud asset management (read-only access), which reports the unit that a licence is registered to.',
  ),
  firewall: firewall.describe(
    "FortiGates on the path (read-only access), which report the policy that matches FortiAuthenticator's traffic. " +
      'Add one entry for each source address of the traffic. A single entry does not require a list.',
  ),
  peers: peers.describe(
    'Other ftm-watch agents on the same network segment as FortiAuthenticator. The status of these agents is read on ' +
      'the `schedule.appliance` schedule.',
  ),
};

export type WatchedConfig = {
  readonly [Key in keyof typeof watchedSections]: z.output<(typeof watchedSections)[Key]>;
};
