import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { describedProgram, leafCommands } from '../../../tools/package/described-program.ts';
import { CHECKS } from '../../../src/checks/registry.ts';
import { CHANNEL_IDS } from '../../../src/config/schema/channels.ts';

const ROOT = new URL('../../../', import.meta.url);
const text = readFileSync(new URL('test/proofs.md', ROOT), 'utf8');

test('test/proofs.md lists only tests that exist', () => {
  const named = [...new Set([...text.matchAll(/`((?:test|deploy)\/[^`]+)`/gu)].map(([, path = '']) => path))];

  expect(named.length).toBeGreaterThan(100);
  expect(named.filter((path) => !existsSync(new URL(path, ROOT)))).toEqual([]);
});

test('test/proofs.md lists every check, channel and command', () => {
  const commands = leafCommands(describedProgram('0', () => undefined)).map(([name]) => name);
  const features = [...CHECKS.map(({ id }) => id), ...CHANNEL_IDS, ...commands];
  const firstCells = [...text.matchAll(/^\| ([^|]+) \|/gmu)].map(([, cell]) => cell).join('\n');

  expect(features.filter((name) => !firstCells.includes(`\`${name}\``))).toEqual([]);
});
