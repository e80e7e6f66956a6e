import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { plainConfig } from '../../../src/config/print.ts';
import { secretSources } from '../../../src/config/secrets.ts';
import { configOf } from '../../support/config-of.ts';

const EXAMPLE = fileURLToPath(new URL('../../../config/ftm-watch.example.yaml', import.meta.url));
/** Files with a secret by their keys, but for private keys. */
const SECRET_FILE = /"(?:password|passwordHash|token|community)File":"([^"]+)"|"api":\{[^}]*"keyFile":"([^"]+)"/gu;

test('every secret of the example, which has all of them, is known', async () => {
  const config = await configOf(readFileSync(EXAMPLE, 'utf8'));
  const printed = [...JSON.stringify(plainConfig(config)).matchAll(SECRET_FILE)].map(
    ([, first, second]) => first ?? second,
  );
  const known = secretSources(config).map((source) => (source.kind === 'file' ? source.path : source.name));
  expect(printed.length).toBeGreaterThan(6);
  expect(new Set(known)).toEqual(new Set(printed));
});
