import * as z from 'zod';
import { textAt, unique } from '../../config/schema/rules.ts';
import { completed, list, optional, section } from '../../config/schema/section.ts';
import { serverName, serverNameOf } from '../../config/schema/server-name.ts';
import { caFiles, pins, trustProfile } from './trust-section.ts';
import { choice, expected, host, name, port } from '../../config/schema/values.ts';

const CARRIERS = ['push', 'sms', 'answers', 'fortigate', 'cloud'] as const;

const knownName = choice('push', 'sms', 'directregistration', 'globalftm', 'fortitoken-cloud');

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
      'What it carries, which is told in words of its own then: push (notifications); sms; answers: the public name of ' +
        'FortiAuthenticator, where phones answer push notifications; fortigate: activations of tokens that a ' +
        'FortiGate holds itself; cloud: FortiToken Cloud.',
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

/** Under which authority these hosts have their certificates is published nowhere. */
function known(name: string, hostName: string, carries: Carrier): ServiceConfig {
  const trust = { profile: 'public', pins: [], caFiles: [] } as const;
  return { name, host: hostName, port: 443, serverName: hostName, trust, severity: 'warning', carries };
}

/**
 * Hosts of the vendor: push notifications (ta-p/333425), SMS through FortiGuard (ta-p/117091), tokens of a FortiGate
 * (ta-p/194508; docs:fortigate/7.0.14/administration-guide/180506), FortiToken Cloud (ta-p/275159).
 */
const KNOWN: Readonly<Record<z.output<typeof knownName>, ServiceConfig>> = {
  push: known('push', 'push.fortinet.com', 'push'),
  sms: known('sms', 'msgctrl1.fortinet.com', 'sms'),
  directregistration: known('directregistration', 'directregistration.fortinet.com', 'fortigate'),
  globalftm: known('globalftm', 'globalftm.fortinet.net', 'fortigate'),
  'fortitoken-cloud': known('fortitoken-cloud', 'ftc.fortinet.com', 'cloud'),
};

/** Printed as a section, which says what it stands for. */
const knownService: z.ZodType<ServiceConfig> = z.codec(knownName, z.custom<ServiceConfig>(), {
  decode: (given) => KNOWN[given],
  encode: (value, { issues }) => {
    issues.push({ code: 'custom', input: value, message: 'it is printed as a section' });
    return z.NEVER;
  },
});

const knownOrSection = z.union([service, knownService], expected('a section (keys and values), or a name like "push"'));

/** Other hosts that FortiAuthenticator talks to. */
export const services = unique(list(knownOrSection), textAt('name'));
