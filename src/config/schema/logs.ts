import type * as z from 'zod';
import type { LogsConfig } from '../config.ts';
import type { SchemaContext } from './context.ts';
import { followedFile, readableFile } from './files.ts';
import { list, section } from './rules.ts';
import { listenAddress } from './endpoints.ts';
import { addressBlock, choice, duration } from './values.ts';

const DAY = 86_400_000;

export function logs(context: SchemaContext): z.ZodType<LogsConfig> {
  return section({
    syslog: syslog(context)
      .prefault({})
      .describe(
        'Listeners for what FortiAuthenticator sends (Logging > Log Config > Syslog Servers). None is open by default.',
      ),
    files: list(followedFile(context))
      .prefault([])
      .describe(
        'Log files to follow, where a syslog server on this machine writes them. They are followed across rotation ' +
          'and may appear later.',
      ),
    relays: list(addressBlock())
      .prefault([])
      .describe(
        'Syslog servers that pass lines on: only these are believed when a line names its host. Without any, ' +
          'everybody is believed who writes a host name of logSources.',
      ),
    window: duration(DAY).prefault('15m').describe('Polling counts as failing while an error is younger than this.'),
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
    signatureFiles: list(readableFile(context))
      .prefault([])
      .describe('More signatures of log lines, in the format of config/fac-signatures.yaml.'),
  });
}

function syslog(context: SchemaContext): z.ZodType<LogsConfig['syslog']> {
  return section({
    udp: listenAddress()
      .optional()
      .describe(
        'Where to listen for syslog over UDP. Its sender can be forged: prefer TLS where the network is not trusted.',
      ),
    tcp: listenAddress().optional().describe('Where to listen for syslog over TCP.'),
    tls: section({
      listen: listenAddress().describe('Where to listen for syslog over TLS.'),
      certFile: readableFile(context).describe('PEM file of the certificate shown to senders, with its chain.'),
      keyFile: readableFile(context).describe('PEM file of its private key.'),
      clientCaFile: readableFile(context)
        .optional()
        .describe('PEM file of an authority; senders must then show a certificate that it signed.'),
    })
      .transform(({ listen, clientCaFile, ...files }) => ({ ...listen, ...files, clientCaFile: clientCaFile ?? null }))
      .optional()
      .describe('Syslog over TLS.'),
  }).transform(({ udp, tcp, tls }) => ({ udp: udp ?? null, tcp: tcp ?? null, tls: tls ?? null }));
}
