import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { configPrint, configSchemaCommand } from '../../../src/cli/config.ts';
import { CANARY, loadText } from '../../support/config/config-machine.ts';

/** Returns streams that record the output of a command. */
function streams(): {
  readonly output: { write(text: string): unknown };
  readonly errors: { write(text: string): unknown };
  texts(): readonly [string, string];
} {
  const written: [string, string] = ['', ''];
  return {
    output: { write: (text) => (written[0] += text) },
    errors: { write: (text) => (written[1] += text) },
    texts: () => written,
  };
}

describe('config print', () => {
  test('prints YAML with the defaults and no secret', async () => {
    const to = streams();
    const text = 'firewall: { url: "https://10.0.0.1", source: 10.0.0.5, tokenEnv: SET_SECRET }';
    expect(configPrint(await loadText(text), to)).toBe(0);
    const [output, errors] = to.texts();
    expect(parse(output)).toMatchObject({ site: 'watcher', firewall: [{ tokenEnv: 'SET_SECRET', vdom: 'root' }] });
    expect(output + errors).not.toContain(CANARY);
  });

  test('prints nothing of a bad configuration', async () => {
    const to = streams();
    expect(configPrint(await loadText('site: 7'), to)).toBe(3);
    expect(to.texts()[0]).toBe('');
  });
});

describe('config schema', () => {
  test('prints the JSON Schema', () => {
    const to = streams();
    expect(configSchemaCommand(to)).toBe(0);
    expect(JSON.parse(to.texts()[0])).toMatchObject({
      $schema: 'http://json-schema.org/draft-07/schema#',
      additionalProperties: false,
    });
  });
});
