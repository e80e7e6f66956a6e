import type * as z from 'zod';
import type { ApplianceApiConfig, ApplianceConfig, SnmpConfig } from '../config.ts';
import type { SchemaContext } from './context.ts';
import { readableFile, requiredSecret, secretFile, secretVariable } from './files.ts';
import {
  type Fields,
  fieldsOf,
  given,
  list,
  type Report,
  requireSecret,
  ruled,
  section,
  textAt,
  unique,
} from './rules.ts';
import { httpsOrigin } from './urls.ts';
import { host, name, pin, port, serial, share, text } from './values.ts';

/** The FortiAuthenticator units. */
export function appliances(context: SchemaContext): z.ZodType<readonly ApplianceConfig[]> {
  const appliance = ruled(
    section({
      name: name().describe('Name of the unit in messages and metrics; each has its own.'),
      serial: serial().optional().describe('Its serial number, as on its dashboard: licences are looked for under it.'),
      peerSerial: serial()
        .optional()
        .describe(
          'Serial number of its high-availability peer. A licence that sits on the peer is the usual trouble after ' +
            'a migration, and is only recognised with it.',
        ),
      logSources: list(host())
        .prefault([])
        .describe(
          'Addresses that send its log lines, or host names as they stand in the line. Lines from anywhere else ' +
            'are foreign.',
        ),
      licenses: list(serial())
        .prefault([])
        .describe('Its FortiToken Mobile licences (EFTM…), as printed on the certificate.'),
      api: api(context).optional().describe('Its REST API, read only.'),
      snmp: snmp(context).optional().describe('Its SNMP agent, asked for the high-availability role.'),
      tokensLow: share().prefault(0.1).describe('Warn when less than this share of the licensed tokens is left.'),
    }),
    peerIsAnother,
  ).transform(({ serial: own, peerSerial, api: rest, snmp: agent, ...others }) => ({
    ...others,
    serial: own ?? null,
    peerSerial: peerSerial ?? null,
    api: rest ?? null,
    snmp: agent ?? null,
  }));
  return uniqueSources(unique(unique(list(appliance), 'name', textAt('name')), 'serial', textAt('serial')));
}

function api(context: SchemaContext): z.ZodType<ApplianceApiConfig> {
  return ruled(
    section({
      url: httpsOrigin('https://10.0.0.5').describe('Address of the unit, "https://" without a path.'),
      user: text().describe('An administrator with "Web service access"; a profile that only reads is enough.'),
      keyFile: secretFile(context).optional().describe("File with the user's web service access key."),
      keyEnv: secretVariable(context).optional().describe('Environment variable with the key, instead of the file.'),
      caFile: readableFile(context)
        .optional()
        .describe('PEM file of the authority that signed its certificate, or of the certificate itself.'),
      pin: pin()
        .optional()
        .describe('SHA-256 of its public key, instead of caFile, for a unit with its factory certificate.'),
    }),
    (fields, report) => {
      requireSecret('key', fields, report);
      if (given(fields, 'caFile') && given(fields, 'pin')) report('pin', 'expected only one of "caFile" and "pin"');
    },
  ).transform(({ url, user, keyFile, keyEnv, caFile, pin: key }) => ({
    url,
    user,
    key: requiredSecret(keyFile, keyEnv),
    caFile: caFile ?? null,
    pin: key ?? null,
  }));
}

function snmp(context: SchemaContext): z.ZodType<SnmpConfig> {
  return ruled(
    section({
      host: host().describe('Address of the agent.'),
      port: port().prefault(161).describe('Its UDP port.'),
      communityFile: secretFile(context).optional().describe('File with the SNMP v2c community.'),
      communityEnv: secretVariable(context)
        .optional()
        .describe('Environment variable with the community, instead of the file.'),
    }),
    (fields, report) => {
      requireSecret('community', fields, report);
    },
  ).transform(({ communityFile, communityEnv, ...rest }) => ({
    ...rest,
    community: requiredSecret(communityFile, communityEnv),
  }));
}

function peerIsAnother({ serial: own, peerSerial }: Fields, report: Report): void {
  if (own !== undefined && own === peerSerial)
    report('peerSerial', 'expected the serial number of the other unit, got that of this one');
}

/** A line that two units could have sent belongs to neither. */
function uniqueSources<S extends z.ZodType>(schema: S): S {
  return schema.superRefine(
    (value, context) => {
      const owners = new Map<string, number>();
      for (const { source, path } of sourcesOf(value)) {
        const owner = owners.get(source);
        if (owner !== undefined)
          context.addIssue({
            code: 'custom',
            path,
            message: `"${source}" is a log source of appliances[${String(owner)}] already`,
          });
        owners.set(source, owner ?? path[0]);
      }
    },
    { when: ({ value }) => Array.isArray(value) },
  );
}

interface Source {
  readonly source: string;
  readonly path: [appliance: number, key: string, index: number];
}

function sourcesOf(value: unknown): readonly Source[] {
  return itemsOf(value).flatMap((appliance, position) =>
    itemsOf(fieldsOf(appliance)['logSources']).flatMap((source, index) =>
      typeof source === 'string'
        ? [{ source: source.toLowerCase(), path: [position, 'logSources', index] satisfies Source['path'] }]
        : [],
    ),
  );
}

function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
