import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { type Config, configFile } from '../../../src/config/config.ts';
import { formatIssue, allKeyPaths } from '../../../src/config/issues.ts';
import { plainConfig, printConfig, secretUrls } from '../../../src/config/print.ts';
import { changeTexts } from '../../../src/config/schema/section.ts';
import { anyConfiguration } from './any-configuration.ts';
import { CANARY, loadText } from '../../support/config/config-machine.ts';
import { samples } from '../../support/random/samples.ts';

const FIXTURES = fileURLToPath(new URL('../../fixtures/config/good/', import.meta.url));
const REFERENCE = fileURLToPath(new URL('../../../config/ftm-watch.reference.yaml', import.meta.url));

const GOOD = [REFERENCE, ...readdirSync(FIXTURES).map((name) => `${FIXTURES}${name}`)];

async function load(text: string): Promise<Config> {
  const result = await loadText(text);
  if (result.kind === 'invalid') throw new Error(result.issues.map(formatIssue).join('\n'));
  return result.config;
}

/** What was written can differ: a known service is printed with its settings. */
function meaningOf(config: Config): Config {
  return { ...config, written: null };
}

/** Restores the secret URLs in a printed configuration, which contains only their scheme and host. */
function restored(printed: string, config: Config): string {
  const urls = [...secretUrls(config)];
  const whole = changeTexts(configFile, parse(printed), ({ use, text }) =>
    use === 'secret-url' ? (urls.shift() ?? text) : text,
  );
  return stringify(whole);
}

/** Returns the key paths that a file uses, in the schema's notation. */
function usedPaths(value: unknown, prefix = ''): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item) => usedPaths(item, `${prefix}[]`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    return [path, ...usedPaths(child, path)];
  });
}

describe('a good configuration', () => {
  test.each(GOOD)('%s loads', async (file) => {
    await expect(load(readFileSync(file, 'utf8'))).resolves.toHaveProperty('site');
  });

  test.each(GOOD)('%s is printed as a file that loads to the same', async (file) => {
    const config = await load(readFileSync(file, 'utf8'));
    expect(meaningOf(await load(restored(printConfig(config), config)))).toEqual(meaningOf(config));
  });

  test.each(GOOD)('%s is printed without a secret', async (file) => {
    expect(printConfig(await load(readFileSync(file, 'utf8')))).not.toContain(CANARY);
  });

  test('of any content is printed as a file that loads to the same', async () => {
    await fc.assert(
      fc.asyncProperty(anyConfiguration(), async (written) => {
        const config = await load(stringify(written));
        expect(meaningOf(await load(restored(printConfig(config), config)))).toEqual(meaningOf(config));
      }),
      { numRuns: samples(5) },
    );
  });

  test('is printed with scheme and host alone of URLs that are secrets', async () => {
    const secret = 'T00/B00/xyzzy';
    const config = await load(
      `notify: { webhooks: [{ url: "https://hooks.example.org:8443/${secret}?k=${secret}" }, { url: "http://127.0.0.1:9" }], heartbeat: { url: "https://hc.example.org/?${secret}" } }`,
    );
    const printed = printConfig(config);
    expect(printed).not.toContain('xyzzy');
    expect(parse(printed)).toMatchObject({
      notify: {
        webhooks: [{ url: 'https://hooks.example.org:8443/…' }, { url: 'http://127.0.0.1:9' }],
        heartbeat: { url: 'https://hc.example.org/…' },
      },
    });
    await expect(load(printed)).rejects.toThrow(
      'expected the whole URL; "…" is where "config print" has removed a secret',
    );
  });

  test('is printed as written, with the defaults and the settings of services that have a short name', async () => {
    const config = await load('services: [push]\nschedule: { timezone: UTC }\nstore: { retention: 48h }');
    expect(Object.keys(plainConfig(config)).slice(0, 2)).toEqual(['site', 'include']);
    expect(plainConfig(config)).toMatchObject({
      services: [{ name: 'push', host: 'push.fortinet.com', port: 443 }],
      schedule: { probes: '*/30 * * * * *' },
      store: { retention: '48h' },
    });
  });

  test('takes a single FortiGate as a list of one, as 0.1 had it', async () => {
    const single = 'url: "https://10.0.0.1", source: 10.0.0.5, tokenEnv: SET_SECRET';
    expect((await load(`firewall: { ${single} }`)).firewall).toEqual(
      (await load(`firewall: [{ ${single} }]`)).firewall,
    );
  });

  test('is printed with the source of each secret', async () => {
    const config = await load(
      'firewall: { url: "https://10.0.0.1", source: 10.0.0.5, tokenFile: token.txt }\n' +
        'mail: [{ host: m, user: u, passwordEnv: SET_SECRET }]',
    );
    expect(parse(printConfig(config))).toMatchObject({
      firewall: { tokenFile: '/etc/ftm-watch/token.txt' },
      mail: [{ passwordEnv: 'SET_SECRET' }],
    });
  });
});

describe('the shipped example', () => {
  test('shows every key but the variables that stand for files; one that excludes another as a comment', () => {
    const text = readFileSync(REFERENCE, 'utf8');
    const excluded = new Set(['notify.alertmanager.tokenFile', 'notify.heartbeat.urlFile']);
    const expected = allKeyPaths(configFile).filter((path) => !path.endsWith('Env') && !excluded.has(path));
    expect(new Set(usedPaths(parse(text)))).toEqual(new Set(expected));
    for (const path of excluded) expect(text).toMatch(new RegExp(`# or .*${path.split('.').at(-1) ?? ''}`, 'u'));
  });
});
