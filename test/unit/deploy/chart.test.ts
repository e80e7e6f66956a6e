import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import packageJson from '../../../package.json' with { type: 'json' };
import { CHART_VALUES } from '../../support/packaging/chart-values.ts';

const CHART = 'deploy/helm/ftm-watch';

type Tree = Readonly<Record<string, unknown>>;

const schema = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8')) as Tree & {
  readonly properties: Readonly<Record<string, Tree>>;
};
const defaults = parse(readFileSync(join(CHART, 'values.yaml'), 'utf8')) as Tree;
// What is written for people, and is no keyword of the dialect, does not count.
const validate = new Ajv({ allErrors: true, strict: true, strictRequired: false, strictTypes: false }).compile(schema);

function isMap(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Merges values as Helm does. */
function merged(values: Tree, into: Tree): Tree {
  const both = Object.entries(values).map(([key, value]) => {
    const before = into[key];
    return [key, isMap(value) && isMap(before) ? merged(value, before) : value] as const;
  });
  return { ...into, ...Object.fromEntries(both) };
}

function complaints(values: Tree): readonly string[] {
  validate(merged(values, defaults));
  return (validate.errors ?? []).map(told);
}

function told({ instancePath, message = '', params }: ErrorObject): string {
  return `${instancePath} ${message} ${Object.values(params as Readonly<Record<string, unknown>>).join(' ')}`;
}

/** Yields every section of the schema that lists its keys. */
function* sectionsOf(tree: Tree, path = ''): Generator<readonly [string, Tree]> {
  if (isMap(tree['properties']) && path !== '/config') {
    yield [path, tree];
    for (const [key, value] of Object.entries(tree['properties']))
      if (isMap(value)) yield* sectionsOf(value, `${path}/${key}`);
  }
}

describe('the chart', () => {
  it('has the icon of the page in itself, and what Artifact Hub shows without a public address', () => {
    const { icon, keywords, annotations } = z
      .object({ icon: z.string(), keywords: z.array(z.string()), annotations: z.record(z.string(), z.string()) })
      .parse(parse(readFileSync(join(CHART, 'Chart.yaml'), 'utf8')));
    const [scheme, image = ''] = icon.split(',');
    expect(scheme).toBe('data:image/svg+xml;base64');
    const shown = readFileSync('src/web/static/icon-ready.svg', 'utf8').trim();
    expect(Buffer.from(image, 'base64').toString()).toBe(shown);
    expect(keywords).toEqual([...new Set(keywords)].toSorted());
    expect(keywords).toContain('fortiauthenticator');
    expect(annotations).toEqual({
      // One of the categories in Artifact Hub's docs/helm_annotations.md.
      'artifacthub.io/category': 'monitoring-logging',
      'artifacthub.io/license': packageJson.license,
    });
  });

  it('sends no secret into the cluster', () => {
    const templates = readdirSync(join(CHART, 'templates')).map((name) =>
      readFileSync(join(CHART, 'templates', name), 'utf8'),
    );
    expect(templates.filter((text) => /^kind: Secret$/mu.test(text))).toEqual([]);
  });
});

describe('the schema of its values', () => {
  it.each(Object.entries(CHART_VALUES))('takes %s', (_, values) => {
    expect(complaints(values)).toEqual([]);
  });

  it.each<readonly [string, unknown, string]>([
    ['replicas', 2, ' must NOT have additional properties replicas'],
    ['persistence.sise', '1Gi', '/persistence must NOT have additional properties sise'],
    ['config.resolver', ['system'], '/config must NOT have additional properties resolver'],
    ['config.licenseServer.port', 70_000, '/config/licenseServer/port must be <= 65535'],
    ['config.registration', { user: 'a', password: 'b' }, '/config/registration must NOT have additional properties'],
    // A page for the pod alone, at any port, and a database that goes with the pod.
    ['config.web.listen', '127.0.0.1:9843', '/config/web/listen must NOT be valid'],
    ['config.web.listen', '0.0.0.0:0', '/config/web/listen must match pattern'],
    ['config.store.path', 'data/a.sqlite', '/config/store/path must match pattern'],
    ['files', { 'a.key': '-----BEGIN PRIVATE KEY-----\n' }, '/files/a.key must NOT be valid'],
    ['files', { 'ftm-watch.yaml': '' }, '/files must NOT be valid'],
    ['files', { '../a': '' }, '/files must match pattern'],
    // A name that no Secret has, and secrets by their values.
    ['secrets', ['Fac_1'], '/secrets/0 must match pattern'],
    ['secrets', [{ name: 'a', value: 'b' }], '/secrets/0 must be string'],
    ['serviceMonitor.basicAuth.password', 'secret', '/serviceMonitor/basicAuth/password must be object'],
    ['serviceMonitor.authorization.credentials', 'a', '/serviceMonitor/authorization/credentials must be object'],
    ['persistence.size', '1', '/persistence/size must match pattern'],
    ['persistence.accessMode', 'ReadWriteMany', '/persistence/accessMode must be equal to one of the allowed values'],
    ['livenessProbe.exec', {}, '/livenessProbe must NOT have additional'],
    ['ingress.hosts', [{}], "/ingress/hosts/0 must have required property 'host'"],
    ['imagePullSecrets', ['registry'], '/imagePullSecrets/0 must be object'],
    ['prometheusRule.thresholds.days', 3, '/prometheusRule/thresholds must NOT have additional properties days'],
    ['prometheusRule.runbookURLPattern', 'https://a.example.org/', '/prometheusRule/runbookURLPattern must match'],
    ['syslogService.ports.udp', 0, '/syslogService/ports/udp must be >= 1'],
  ])('refuses %s: %j, and says where', (path, value, complaint) => {
    const values = path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
    expect(complaints(isMap(values) ? values : {})).toContainEqual(expect.stringContaining(complaint));
  });

  it('knows exactly the values that there are, describes each, and lets no other pass', () => {
    const keysOf = (path: string): readonly string[] => {
      const at = path
        .split('/')
        .slice(1)
        .reduce<unknown>((value, key) => (isMap(value) ? value[key] : undefined), defaults);
      return isMap(at) ? Object.keys(at).toSorted() : [];
    };
    const sections = [...sectionsOf(schema)].filter(
      ([path]) => !/^\/(?:config|serviceMonitor\/(?:basicAuth|authorization)|[a-z]+Probe$)/u.test(path),
    );
    expect(sections.length).toBeGreaterThan(10);
    for (const [path, { properties, additionalProperties }] of sections) {
      const known = Object.keys(isMap(properties) ? properties : {}).filter((key) => key !== 'global');
      expect([path, known.toSorted()]).toEqual([path, keysOf(path)]);
      expect([path, additionalProperties]).toEqual([path, false]);
    }
    const silent = Object.entries(schema.properties).filter(([, { description }]) => typeof description !== 'string');
    expect(silent).toEqual([]);
  });

  it('asks nothing of Helm that the expressions of Go cannot do', () => {
    const patterns = [...JSON.stringify(schema).matchAll(/"pattern":"((?:[^"\\]|\\.)*)"/gu)].map(
      ([, pattern = '']) => pattern,
    );
    expect(patterns.length).toBeGreaterThan(20);
    expect(patterns.filter((pattern) => /\(\?[=!<]|\\\\[1-9]/u.test(pattern))).toEqual([]);
  });
});
