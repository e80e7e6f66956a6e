import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

import { CHECKS, FAULT_IDS } from '../../src/checks/registry.ts';

const ENGINE = resolve(import.meta.dirname, '../../src/engine');
const NAMES: readonly string[] = [...CHECKS.map(({ id }) => id), ...FAULT_IDS];

/** Ids that occur in a text as a whole string. */
function namesIn(text: string): readonly string[] {
  return NAMES.filter((name) => new RegExp(`(['"\`])${name}\\1`, 'u').test(text));
}

test('finds a name where there is one', () => {
  expect(namesIn('check.id === \'mail\' && cause === "tls-blocked" && `polling`')).toEqual([
    'mail',
    'polling',
    'tls-blocked',
  ]);
  expect(namesIn("import '../mail/causes.ts'; // 'mail server'")).toEqual([]);
});

test('the engine knows no check and no cause of a check by its name', () => {
  const files = readdirSync(ENGINE, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const named = files.flatMap((name) =>
    namesIn(readFileSync(join(ENGINE, name), 'utf8')).map((id) => `${name}: ${id}`),
  );
  expect(files.length).toBeGreaterThan(5);
  expect(named).toEqual([]);
});
