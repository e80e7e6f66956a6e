import { listenAddress } from './endpoints.ts';
import {
  isHost,
  type SectionFields,
  given,
  itemsOf,
  type Report,
  textAt,
  unique,
  list,
  optional,
  section,
  addressBlock,
  choice,
  duration,
  expected,
  name,
  text,
} from './section.ts';
import { laterFile, readableFile } from './secret.ts';

const DAY = 86_400_000;

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
    'Address to listen on for syslog over UDP. The sender of a datagram can be forged. Use TLS in untrusted networks.',
  ),
  tcp: optional(listenAddress).describe('Address to listen on for syslog over TCP.'),
  tls: optional(syslogTls).describe('Listener for syslog over TLS.'),
});

export const logs = section({
  syslog: syslog
    .prefault({})
    .describe(
      "Listeners for FortiAuthenticator's syslog (Logging > Log Config > Syslog Servers). By default, no listener is " +
        'open.',
    ),
  files: list(laterFile).describe(
    'Log files to follow, which a syslog server on this machine writes. Rotation is detected, and the files need ' +
      'not exist at startup.',
  ),
  relays: list(addressBlock).describe(
    'Syslog servers that forward lines. The host name in a line is trusted only if the line comes from one of these ' +
      'servers. If this list is empty, the host name is always trusted.',
  ),
  window: duration(DAY).prefault('15m').describe('How long an error in the log affects the results.'),
  silentAfter: duration(30 * DAY)
    .prefault('24h')
    .describe('How long an appliance can send no lines before it is reported (`appliance-silent`).'),
  foreign: choice('count', 'refuse')
    .prefault('count')
    .describe(
      'How lines from unknown senders are handled. "count" counts and ignores the lines. "refuse" also closes the ' +
        'connection.',
    ),
  signatureFiles: list(readableFile).describe(
    'Additional log signatures, in the format of config/fac-signatures.yaml.',
  ),
});
