import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { CANARY } from '../../support/config/config-machine.ts';
import { type Ran, runCommand } from '../../support/process/command-line.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ftm-watch-config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function print(text: string): Promise<Ran> {
  writeFileSync(join(folder, 'ftm-watch.yaml'), text);
  return runCommand(['config', 'print', '-c', 'ftm-watch.yaml'], { cwd: folder, env: { SET_SECRET: CANARY } });
}

describe('config print', () => {
  test('prints YAML with the defaults and no secret', async () => {
    const text = 'firewall: { url: "https://10.0.0.1", source: 10.0.0.5, tokenEnv: SET_SECRET }';
    const { code, output, errors } = await print(text);
    expect(code).toBe(0);
    expect(parse(output)).toMatchObject({ site: 'watcher', firewall: { tokenEnv: 'SET_SECRET', vdom: 'root' } });
    expect(output + errors).not.toContain(CANARY);
  });

  test('prints nothing of a bad configuration', async () => {
    expect(await print('site: 7')).toMatchObject({ code: 3, output: '' });
  });
});

test('config schema prints the JSON Schema', async () => {
  const { code, output } = await runCommand(['config', 'schema'], {});
  expect(code).toBe(0);
  expect(JSON.parse(output)).toMatchObject({
    $schema: 'http://json-schema.org/draft-07/schema#',
    additionalProperties: false,
  });
});
