import type * as z from 'zod';
import type { ServiceConfig, TrustConfig } from '../config.ts';
import type { SchemaContext } from './context.ts';
import { outputFile, readableFile } from './files.ts';
import { resolveServerName, serverName } from './license-server.ts';
import { list, section, textAt, unique } from './rules.ts';
import { choice, host, name, pin, port } from './values.ts';

export function trust(context: SchemaContext): z.ZodType<TrustConfig> {
  return section({
    profile: choice('fortinet', 'public', 'pinned')
      .prefault('fortinet')
      .describe(
        "What makes the licence server's certificate genuine. fortinet: Fortinet's own authorities, by key. " +
          "public: the authorities that browsers trust. pinned: only the pins, files and learned keys. The machine's " +
          "own store of roots is never used: a company's root in it would hide an inspecting proxy.",
      ),
    pins: pins().describe(
      'More public keys to trust, as SHA-256 of the SubjectPublicKeyInfo. Added to the shipped ones.',
    ),
    caFiles: caFiles(context).describe(
      'PEM files of more root certificates to verify under. Added to the shipped pins.',
    ),
    baselineFile: outputFile(context, 'data/trust-baseline.json').describe(
      'Where "ftm-watch trust learn" keeps the chain it saw on a path known to be clean.',
    ),
    productFiles: list(readableFile(context))
      .prefault([])
      .describe('More inspection products by their issuers, in the format of config/inspection-products.yaml.'),
  });
}

/** Other hosts that FortiAuthenticator talks to. */
export function services(context: SchemaContext): z.ZodType<readonly ServiceConfig[]> {
  const service = section({
    name: name().describe('Name of the service in messages and metrics; each has its own.'),
    host: host().describe('Its host.'),
    port: port().prefault(443).describe('Its TCP port.'),
    serverName: serverName().describe('Name sent in the TLS hello; the default is the host, null sends none.'),
    trust: serviceTrust(context).prefault({}).describe('How its certificate is judged.'),
    severity: choice('critical', 'warning', 'info')
      .prefault('warning')
      .describe(
        'How bad a fault of it is. Activation itself needs the licence server alone, so the default does not page ' +
          'anybody.',
      ),
  }).transform((section) => ({ ...section, serverName: resolveServerName(section.host, section.serverName) }));
  return unique(list(service), 'name', textAt('name'));
}

function serviceTrust(context: SchemaContext): z.ZodType<ServiceConfig['trust']> {
  return section({
    profile: choice('fortinet', 'public', 'pinned')
      .prefault('public')
      .describe('What makes its certificate genuine, as in trust.profile.'),
    pins: pins().describe('Public keys to trust, as in trust.pins.'),
    caFiles: caFiles(context).describe('PEM files of root certificates to verify under.'),
  });
}

function pins(): z.ZodType<readonly string[]> {
  return list(pin()).prefault([]);
}

function caFiles(context: SchemaContext): z.ZodType<readonly string[]> {
  return list(readableFile(context)).prefault([]);
}
