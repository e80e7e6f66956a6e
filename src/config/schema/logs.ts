import type * as z from 'zod';
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
  appliance: name.describe('Name of the unit that it proves.'),
});

const syslogTls = section(
  {
    listen: listenAddress.describe('Where to listen for syslog over TLS.'),
    certFile: readableFile.describe('PEM file of the certificate shown to senders, with its chain.'),
    keyFile: readableFile.describe('PEM file of its private key.'),
    clientCaFile: optional(readableFile).describe(
      'PEM file of an authority; senders must then show a certificate that it signed.',
    ),
    clientCrlFile: optional(readableFile).describe(
      'PEM file with the lists of what these authorities have revoked: one of each authority in the chains.',
    ),
    certificates: unique(list(certificate), textAt('name')).describe(
      'Whom a certificate proves. Of a unit that is named here no other line counts that comes over the network, but ' +
        'those of relays.',
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
    'Where to listen for syslog over UDP. Its sender can be forged: prefer TLS where the network is not trusted.',
  ),
  tcp: optional(listenAddress).describe('Where to listen for syslog over TCP.'),
  tls: optional(syslogTls).describe('Syslog over TLS.'),
});

export type SyslogTls = z.output<typeof syslogTls>;
export type LogsConfig = z.output<typeof logs>;

export const logs = section({
  syslog: syslog
    .prefault({})
    .describe(
      'Listeners for what FortiAuthenticator sends (Logging > Log Config > Syslog Servers). None is open by default.',
    ),
  files: list(laterFile).describe(
    'Log files to follow, where a syslog server on this machine writes them. They are followed across rotation ' +
      'and may appear later.',
  ),
  relays: list(addressBlock).describe(
    'Syslog servers that pass lines on: only these are believed when a line names its host. Without any, ' +
      'everybody is believed who writes a host name of logSources.',
  ),
  window: duration(DAY)
    .prefault('15m')
    .describe(
      'How long an error in the log counts. A single datagram, or one that a repaired fault explains, is no failure.',
    ),
  silentAfter: duration(30 * DAY)
    .prefault('24h')
    .describe(
      'An appliance that has sent no line for so long is reported as silent (`appliance-silent`): no news is then ' +
        'no good news. One that has never sent any is waited for first: `polling` is `unknown` until its first ' +
        'line, or until so long after ftm-watch began to listen for it.',
    ),
  foreign: choice('count', 'refuse')
    .prefault('count')
    .describe(
      'Lines from senders that no appliance names: counted and otherwise ignored, or refused as soon as they arrive.',
    ),
  signatureFiles: list(readableFile).describe(
    'More signatures of log lines, in the format of config/fac-signatures.yaml.',
  ),
});
