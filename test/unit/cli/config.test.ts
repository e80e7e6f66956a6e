import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { configCheck, configPrint, configSchemaCommand } from '../../../src/cli/config.ts';
import { CANARY, loadText } from '../../support/config-machine.ts';

/** Where a command writes to. */
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

describe('config check', () => {
  test('says that a configuration is valid', async () => {
    const to = streams();
    expect(configCheck({ result: await loadText('site: hq'), problems: [], surprises: [], ...to })).toBe(0);
    expect(to.texts()).toEqual(['/etc/ftm-watch/ftm-watch.yaml: the configuration is valid\n', '']);
  });

  test('warns of what will surprise, and that is no mistake', async () => {
    const to = streams();
    const surprises = ['Nobody is told.', 'Nothing is heard.'];
    expect(configCheck({ result: await loadText('site: hq'), problems: [], surprises, ...to })).toBe(0);
    expect(to.texts()).toEqual([
      '/etc/ftm-watch/ftm-watch.yaml: the configuration is valid\nWarning: Nobody is told.\n' +
        'Warning: Nothing is heard.\n',
      '',
    ]);
  });

  test('says every problem on standard error', async () => {
    const to = streams();
    expect(
      configCheck({ result: await loadText('sites: hq\nlog: { level: loud }'), problems: [], surprises: [], ...to }),
    ).toBe(3);
    expect(to.texts()).toEqual([
      '',
      [
        'ftm-watch.yaml:1:1  unknown key "sites"; did you mean "site"?',
        'ftm-watch.yaml:2:8  log.level: expected one of "trace", "debug", "info", "warn", "error", got "loud"',
        'The configuration is not valid: 2 problems',
        '',
      ].join('\n'),
    ]);
  });

  test('says how many problems there are when they are too many to show', async () => {
    const to = streams();
    configCheck({
      result: await loadText(Array.from({ length: 101 }, (_, index) => `unknown${String(index)}: 1`).join('\n')),
      problems: [],
      surprises: [],
      ...to,
    });
    expect(to.texts()[1]).toContain('\nThe configuration is not valid: 101 problems; these are the first 100\n');
  });
});

describe('config check of the files that are named', () => {
  test('says what is wrong with them, and not that everything works', async () => {
    const to = streams();
    const problems = [
      'Cannot check the password of web user "ops": …',
      'Cannot check the password of web user "hq": …',
    ];
    expect(configCheck({ result: await loadText('site: hq'), problems, surprises: [], ...to })).toBe(3);
    expect(to.texts()).toEqual(['', `${problems.join('\n')}\n`]);
  });
});

describe('config print', () => {
  test('prints YAML with the defaults and no secret', async () => {
    const to = streams();
    const text = 'firewall: { url: "https://10.0.0.1", source: 10.0.0.5, tokenEnv: SET_SECRET }';
    expect(configPrint({ result: await loadText(text), ...to })).toBe(0);
    const [output, errors] = to.texts();
    expect(parse(output)).toMatchObject({ site: 'watcher', firewall: [{ tokenEnv: 'SET_SECRET', vdom: 'root' }] });
    expect(output + errors).not.toContain(CANARY);
  });

  test('prints nothing of a bad configuration', async () => {
    const to = streams();
    expect(configPrint({ result: await loadText('site: 7'), ...to })).toBe(3);
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
