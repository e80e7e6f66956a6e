import type * as z from 'zod';
import { authorityFile } from '../../../config/schema/files.ts';
import { endpoint, textAt, unique } from '../../../config/schema/rules.ts';
import { completed, list, section } from '../../../config/schema/section.ts';
import { choice, host, port } from '../../../config/schema/values.ts';
import { minSeverity, recipientName } from '../../../config/schema/message-recipient.ts';

const SYSLOG_PORT = 514;
/** RFC 5425 §4.1. */
const SYSLOG_TLS_PORT = 6514;

const transport = choice('udp', 'tcp', 'tls');

const receiver = section({
  name: recipientName,
  minSeverity,
  host: host.describe('Host of the receiver.'),
  port: port
    .meta({ default: SYSLOG_PORT })
    .optional()
    .describe('Its port; the default is 6514 where `transport` is tls.'),
  transport: transport
    .prefault('tcp')
    .describe(
      'udp: a datagram a line; nobody learns of one that is lost. tcp: with the length before each line (RFC 6587). ' +
        'tls: the same, encrypted and verified (RFC 5425).',
    ),
  caFile: authorityFile,
});

export type SyslogConfig = z.output<typeof completeReceiver>;

const completeReceiver = completed(receiver, (one) => ({
  ...one,
  port: one.port ?? (one.transport === 'tls' ? SYSLOG_TLS_PORT : SYSLOG_PORT),
}));

export const syslogSection = unique(unique(list(completeReceiver), textAt('name')), endpoint).describe(
  'Syslog receivers, such as FortiAnalyzer or a SIEM: each incident is a line of RFC 5424.',
);
