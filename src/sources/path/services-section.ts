import * as z from 'zod';
import { textAt, unique } from '../../config/schema/rules.ts';
import { completed, list, optional, section } from '../../config/schema/section.ts';
import { serverName, serverNameOf } from '../../config/schema/server-name.ts';
import { caFiles, pins, trustProfile } from './trust-section.ts';
import { choice, expected, host, name, port } from '../../config/schema/values.ts';

const CARRIERS = ['push', 'sms', 'answers'] as const;

export type Carrier = (typeof CARRIERS)[number];

const service = completed(
  section({
    name: name.describe('Name of the service in messages and metrics; each has its own.'),
    host: host.describe('Its host.'),
    port: port.prefault(443).describe('Its TCP port.'),
    serverName: serverName.describe('Name sent in the TLS hello; the default is the host, null sends none.'),
    trust: section({
      profile: trustProfile.prefault('public').describe('What makes its certificate genuine, as in trust.profile.'),
      pins: pins.describe('Public keys to trust, as in trust.pins.'),
      caFiles: caFiles.describe('PEM files of root certificates to verify under.'),
    })
      .prefault({})
      .describe('How its certificate is judged.'),
    carries: optional(choice(...CARRIERS)).describe(
      'What it carries, which is told in words of its own then: push (notifications), sms, or answers: the public name ' +
        'of FortiAuthenticator, where phones answer push notifications.',
    ),
    severity: choice('critical', 'warning', 'info')
      .prefault('warning')
      .describe(
        'How bad a fault of it is. Activation itself needs the licence server alone, so the default does not page ' +
          'anybody.',
      ),
  }),
  (given) => ({ ...given, serverName: serverNameOf(given) }),
);

export type ServiceConfig = z.output<typeof service>;

const USUAL = {
  port: 443,
  trust: { profile: 'public', pins: [], caFiles: [] },
  severity: 'warning',
} as const;

/**
 * Hosts of the vendor that carry codes: push notifications (ta-p/333425), SMS through FortiGuard (ta-p/117091). Under
 * which authority they have their certificates is published nowhere.
 */
const KNOWN_CARRIERS: Readonly<Record<'push' | 'sms', ServiceConfig>> = {
  push: { ...USUAL, name: 'push', host: 'push.fortinet.com', serverName: 'push.fortinet.com', carries: 'push' },
  sms: { ...USUAL, name: 'sms', host: 'msgctrl1.fortinet.com', serverName: 'msgctrl1.fortinet.com', carries: 'sms' },
};

/** Printed as a section, which says what it stands for. */
const known: z.ZodType<ServiceConfig> = z.codec(choice('push', 'sms'), z.custom<ServiceConfig>(), {
  decode: (carrier) => KNOWN_CARRIERS[carrier],
  encode: (value, { issues }) => {
    issues.push({ code: 'custom', input: value, message: 'it is printed as a section' });
    return z.NEVER;
  },
});

const knownOrSection = z.union([service, known], expected('"push", "sms", or a section (keys and values)'));

/** Other hosts that FortiAuthenticator talks to. */
export const services = unique(list(knownOrSection), textAt('name'));
