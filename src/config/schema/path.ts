import * as z from 'zod';
import { proxy, laterFile, readableFile } from './secret.ts';
import {
  completed,
  optional,
  section,
  serverName,
  serverNameOf,
  addressBlock,
  expected,
  host,
  port,
  urlPath,
  unquoted,
  textAt,
  unique,
  list,
  choice,
  name,
  pin,
} from './section.ts';

const HOST = 'fortitokenmobile.fortinet.com';
const ADDRESSES: readonly string[] = ['173.243.138.84', '173.243.138.0/24'];

const addresses: z.ZodType<readonly string[]> = z.array(addressBlock, expected('a list'));

export type LicenseServerConfig = z.output<typeof licenseServer>;

export const licenseServer = completed(
  section({
    host: host
      .prefault(HOST)
      .describe('The server that activates and provisions FortiToken Mobile tokens, as FortiAuthenticator is set up.'),
    port: port.prefault(443).describe('Its TCP port.'),
    serverName: serverName.describe(
      'Name sent in the TLS hello (SNI). Without it the host name is sent, and none where the host is an address; ' +
        'null sends none.',
    ),
    path: urlPath.prefault('/').describe('Path of the HTTP probe. Any answer below status 500 counts as alive.'),
    expectedAddresses: addresses
      .meta({ default: ADDRESSES })
      .optional()
      .describe(
        'Addresses and CIDR blocks that resolvers may answer with: any other public address is a warning, a ' +
          'private one a hijacked answer. Single addresses are also dialled when no resolver answers. The default is ' +
          "Fortinet's network; for another host it is empty, and any public address is accepted.",
      ),
    family: z
      .literal(
        ['auto', 4, 6],
        unquoted('"auto", 4 or 6', (value) => value === '4' || value === '6'),
      )
      .prefault('auto')
      .describe(
        'Family of the addresses that FortiAuthenticator uses: 4 or 6 dials no other. With "auto", IPv4 decides ' +
          'where the name has IPv4 addresses and this machine a route for them, and what is wrong with IPv6 alone is ' +
          'a warning.',
      ),
    proxy: optional(proxy).describe(
      'HTTP proxy that FortiAuthenticator reaches the server through (CONNECT). A URL, or a section where the ' +
        'proxy asks for a password.',
    ),
  }),
  (given) => ({
    ...given,
    serverName: serverNameOf(given),
    expectedAddresses: given.expectedAddresses ?? (given.host === HOST ? ADDRESSES : []),
  }),
);

const trustProfile = choice('fortinet', 'public', 'pinned');
const pins = list(pin);
const caFiles = list(readableFile);

export type TrustProfile = z.output<typeof trustProfile>;
export type TrustConfig = z.output<typeof trust>;

export const trust = section({
  profile: trustProfile
    .prefault('fortinet')
    .describe(
      "What makes the licence server's certificate genuine. fortinet: Fortinet's own authorities, by key. " +
        "public: the authorities that browsers trust. pinned: only the pins, files and learned keys. The machine's " +
        "own store of roots is never used: a company's root in it would hide an inspecting proxy.",
    ),
  pins: pins.describe('More public keys to trust, as SHA-256 of the SubjectPublicKeyInfo. Added to the shipped ones.'),
  caFiles: caFiles.describe('PEM files of more root certificates to verify under. Added to the shipped pins.'),
  baselineFile: laterFile
    .prefault('data/trust-baseline.json')
    .describe('Where "ftm-watch trust learn" keeps the chain it saw on a path known to be clean.'),
  productFiles: list(readableFile).describe(
    'More inspection products by their issuers, in the format of config/inspection-products.yaml.',
  ),
});

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
      'What it carries, which is told in words of its own then: push (notifications); sms; answers: the public name ' +
        'of FortiAuthenticator, where phones answer push notifications; fortigate: activations of tokens that a ' +
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
