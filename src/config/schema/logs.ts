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
  appliance: name.describe('Name of the unit.'),
});

const syslogTls = section(
  {
    listen: listenAddress.describe('Address for syslog over TLS.'),
    certFile: readableFile.describe('PEM file of the certificate shown to senders, with its chain.'),
    keyFile: readableFile.describe('PEM file of its private key.'),
    clientCaFile: optional(readableFile).describe(
      'PEM file of an authority. Senders must then present a certificate that it signed.',
    ),
    clientCrlFile: optional(readableFile).describe(
      'PEM file with certificate revocation lists, one for each authority in a chain.',
    ),
    certificates: unique(list(certificate), textAt('name')).describe(
      'Maps client certificates to units. For a unit listed here, lines from the network are accepted only with ' +
        'its certificate or through a relay.',
    ),
  },
  clientsNeedAuthorities,
);

function clientsNeedAuthorities(fields: SectionFields, report: Report): void {
  if (given(fields, 'clientCaFile')) return;
  const message = 'expected "clientCaFile" beside it: nothing else tells whose certificate it is';
  if (given(fields, 'clientCrlFile')) report('clientCrlFile', message);
  if (itemsOf(fields['certificates']).length > 0) report('certificates', message);
}

const syslog = section({
  udp: optional(listenAddress).describe(
    'Address for syslog over UDP. Its sender can be forged: prefer TLS in networks that are not trusted.',
  ),
  tcp: optional(listenAddress).describe('Address for syslog over TCP.'),
  tls: optional(syslogTls).describe('Syslog over TLS.'),
});

export const logs = section({
  syslog: syslog
    .prefault({})
    .describe(
      "Listeners for FortiAuthenticator's syslog (Logging > Log Config > Syslog Servers). None is open by " +
        'default.',
    ),
  files: list(laterFile).describe(
    'Log files to follow that a syslog server on this machine writes. Rotation is detected, and files can ' +
      'appear later.',
  ),
  relays: list(addressBlock).describe(
    'Syslog servers that forward lines. The host name in a line is trusted only from these. Without any, it ' +
      'is trusted from every sender.',
  ),
  window: duration(DAY).prefault('15m').describe('How long an error in the log counts.'),
  silentAfter: duration(30 * DAY)
    .prefault('24h')
    .describe('An appliance that has sent no line for this time is reported (`appliance-silent`).'),
  foreign: choice('count', 'refuse')
    .prefault('count')
    .describe('Lines from unknown senders: counted and ignored, or their connection is closed.'),
  signatureFiles: list(readableFile).describe(
    'Additional log signatures, in the format of config/fac-signatures.yaml.',
  ),
});
