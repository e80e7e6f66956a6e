import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { plainConfig, secretSources, secretUrls } from '../../../src/config/print.ts';
import { readSecret } from '../../../src/system/secret.ts';
import { configOf } from '../../support/config/config-of.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

const folder = folderOfEachTest();

const REFERENCE = fileURLToPath(new URL('../../../config/ftm-watch.reference.yaml', import.meta.url));
/** Keys of secrets that can be read from files, except for private keys. */
const SECRET_KEYS =
  'password|passwordHash|authPassword|privPassword|token|community|url|routingKey|signingSecret|secret|headers';
const SECRET_FILE = new RegExp(`"(?:${SECRET_KEYS})File":"([^"]+)"|"api":\\{[^}]*"keyFile":"([^"]+)"`, 'gu');

test('every secret of the reference, which has all of them, is known', async () => {
  const config = await configOf(readFileSync(REFERENCE, 'utf8'));
  const printed = [...JSON.stringify(plainConfig(config)).matchAll(SECRET_FILE)].map(
    ([, first, second]) => first ?? second,
  );
  const known = secretSources(config).map((source) => (source.kind === 'file' ? source.path : source.name));
  expect(printed.length).toBeGreaterThan(6);
  expect(new Set(known)).toEqual(new Set(printed));
});

test('a secret in a variable is known by its name', async () => {
  const config = await configOf('mail: [{ host: m, user: u, passwordEnv: SET_SECRET }]');
  expect(secretSources(config)).toEqual([{ kind: 'env', name: 'SET_SECRET' }]);
});

test('the URLs of web hooks and of the heartbeat are secrets, with their paths, and no others', async () => {
  const config = await configOf(
    `notify:
  webhooks: [{ url: "https://hooks.example.org/T00" }, { url: "https://hooks.example.org/T01" }]
  heartbeat: { url: "https://hc.example.org/ping" }
  alertmanager: { urls: ["http://127.0.0.1:9093/am"] }
firewall: { url: "https://10.0.0.1", source: 10.0.0.5, tokenEnv: SET_SECRET }`,
  );
  expect(secretUrls(config)).toEqual([
    'https://hooks.example.org/T00',
    'https://hooks.example.org/T01',
    'https://hc.example.org/ping',
  ]);
});

test.each(['pä ss ', 'pä ss \n', 'pä ss \r\n\n', '\uFEFFpä ss \r\n'])(
  '%j is read without what an editor adds',
  async (text) => {
    const path = folder.at('secret');
    writeFileSync(path, text);
    expect(await readSecret({ kind: 'file', path }, {})).toBe('pä ss ');
    const variable = text.replace('\uFEFF', '');
    expect(await readSecret({ kind: 'env', name: 'SECRET' }, { SECRET: variable })).toBe('pä ss ');
  },
);

test('a secret that would be sent as another one is not read', async () => {
  const path = folder.at('secret');
  writeFileSync(path, Buffer.from('pä ss', 'latin1'));
  await expect(readSecret({ kind: 'file', path }, {})).rejects.toThrow(`"${path}": expected UTF-8`);
  await expect(readSecret({ kind: 'env', name: 'SECRET' }, { SECRET: '\n' })).rejects.toThrow('SECRET');
});
