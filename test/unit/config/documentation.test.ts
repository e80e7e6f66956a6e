import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { configJsonSchema, type JsonSchema, configFile } from '../../../src/config/config.ts';
import { describedKeys } from '../../../tools/generate/described-keys.ts';
import { referencedSections, renderReference } from '../../../tools/generate/config-reference.ts';
import { knownKeys } from '../../../src/config/issues.ts';
import { loadText } from '../../support/config/config-machine.ts';

const DOCUMENT = fileURLToPath(new URL('../../../docs/configuration.md', import.meta.url));
const SCHEMA = configJsonSchema();

/** Sections and items with only their required keys. */
const MINIMAL = {
  licenseServer: { proxy: 'http://10.0.0.8:3128' },
  services: [{ name: 'push', host: 'push.fortinet.com' }],
  mail: [{ host: 'mail.example.org' }],
  appliances: [{ name: 'fac-1', snmp: { host: '10.0.0.5', communityEnv: 'SET_SECRET' } }],
  registration: { user: 'monitor', passwordEnv: 'SET_SECRET' },
  firewall: { url: 'https://10.0.0.1', source: '10.0.0.5', tokenEnv: 'SET_SECRET' },
  notify: {
    email: { from: 'a@example.org', to: ['b@example.org'], servers: [{ host: 'mail.example.org' }] },
    maintenance: [{ cron: '0 2 * * 0', duration: '2h' }],
    heartbeat: { url: 'https://hc.example.org/ping' },
  },
  metrics: { otlp: { url: 'https://otel.example.org/v1/metrics' } },
};

/** Returns the value with all defaults from the schema filled in. */
function withToldDefaults(value: unknown, whole: JsonSchema): unknown {
  const schema = alternativeFor(value, whole);
  if (Array.isArray(value)) return value.map((item) => withToldDefaults(item, recordOf(schema['items'])));
  if (typeof value !== 'object') return value;
  const given = recordOf(value);
  const entries = Object.entries(recordOf(schema['properties'])).flatMap(([key, child]) => {
    const known = recordOf(child);
    const start = given[key] ?? known['default'];
    return start === undefined ? [] : [[key, withToldDefaults(start, known)] as const];
  });
  return Object.fromEntries(entries);
}

/** If the key can be written in two ways, returns the schema that fits the value. */
function alternativeFor(value: unknown, schema: JsonSchema): JsonSchema {
  const anyOf: unknown = schema['anyOf'];
  if (!Array.isArray(anyOf) || typeof value !== 'object') return schema;
  const type = Array.isArray(value) ? 'array' : 'object';
  return anyOf.map(recordOf).find((one) => one['type'] === type) ?? schema;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

describe('docs/configuration.md', () => {
  test('has a table for each section of the schema and for no other', () => {
    expect(referencedSections(readFileSync(DOCUMENT, 'utf8')).toSorted()).toEqual(knownKeys(configFile, []).toSorted());
  });
});

describe('the reference', () => {
  test('of a section that nobody has described yet is a table at the end', () => {
    const rendered = renderReference('# Configuration\n', SCHEMA);
    expect(referencedSections(rendered)).toEqual(knownKeys(configFile, []));
    expect(rendered).toContain('\n## `site`\n\n<!-- keys: site -->\n\n| key | type | default |');
    expect(renderReference(rendered, SCHEMA)).toBe(rendered);
  });
});

describe('the schema', () => {
  test('describes every key and names its type', () => {
    const poor = describedKeys(SCHEMA).filter(
      ({ schema }) => typeof schema['description'] !== 'string' || schema['description'] === '',
    );
    expect(poor.map(({ path }) => path)).toEqual([]);
  });

  test.each([
    ['nothing', {}],
    ['what is required', MINIMAL],
  ])('tells the defaults that apply beside %s', async (_name, value) => {
    const filled = withToldDefaults(value, SCHEMA);
    const [short, long] = await Promise.all([loadText(stringify(value)), loadText(stringify(filled))]);
    expect(filled).toHaveProperty('notify.policy.reminder', '4h');
    if (short.kind === 'invalid') throw new Error('Expected a valid configuration');
    const config = { ...short.config, written: expect.anything() };
    expect(long).toEqual({ ...short, config, locate: expect.anything() });
  });
});
