import { describe, expect, test } from 'vitest';
import { formatIssue } from '../../../src/config/issues.ts';
import { loadConfig, locateStore, type LoadOptions, type LoadResult } from '../../../src/config/load.ts';
import { configMachine } from '../../support/config/config-machine.ts';

/** Returns the options for a machine with these files. The first one is loaded. */
function machine(files: Readonly<Record<string, string>>): LoadOptions {
  return {
    ...configMachine('/srv'),
    path: 'site/ftm-watch.yaml',
    files: {
      read: (path) => {
        const text = files[path];
        return Promise.resolve(text === undefined ? { kind: 'missing' } : { kind: 'read', bytes: Buffer.from(text) });
      },
      exposure: () => Promise.resolve(null),
      problem: (path) => Promise.resolve(path.includes('missing') ? 'no such file' : null),
    },
  };
}

function load(site: string, others: Readonly<Record<string, string>> = {}): Promise<LoadResult> {
  return loadConfig(machine({ '/srv/site/ftm-watch.yaml': site, ...others }));
}

/** Returns where the problems are, and at which keys. The messages are in test/golden. */
async function problems(site: string, others: Readonly<Record<string, string>> = {}): Promise<readonly string[]> {
  const result = await load(site, others);
  return result.kind === 'ok'
    ? []
    : result.issues.map((issue) => formatIssue({ ...issue, message: '' }).replace(/[: ]*$/u, ''));
}

describe('include', () => {
  test('merges sections and replaces lists: the later file wins, and the one that names the others over all', async () => {
    const result = await load(
      'include: [../base.yaml, /abs/region.yaml]\nsite: hq\nnotify: { email: { to: [hq@example.org] } }\n',
      {
        '/srv/base.yaml':
          'site: base\nlog: { level: debug }\ncontrolHosts: [a.example, b.example]\n' +
          'notify: { email: { from: f@example.org, to: [all@example.org], servers: [{ host: localhost }] } }\n',
        '/abs/region.yaml': 'log: { level: warn }\ncontrolHosts: [c.example]\n',
      },
    );

    expect(result).toMatchObject({
      kind: 'ok',
      sources: ['/srv/site/ftm-watch.yaml', '/srv/base.yaml', '/abs/region.yaml'],
      config: {
        include: [],
        site: 'hq',
        log: { level: 'warn' },
        controlHosts: [{ host: 'c.example', port: 443 }],
        notify: { email: { to: ['hq@example.org'], servers: [{ host: 'localhost' }] } },
      },
    });
  });

  test('starts file names at the folder of the file that they stand in', async () => {
    const result = await load('include: [../base.yaml]\ntrust: { caFiles: [site.pem] }', {
      '/srv/base.yaml': 'logs: { files: [fac.log] }',
    });

    expect(result).toMatchObject({
      config: {
        trust: { caFiles: ['/srv/site/site.pem'], baselineFile: '/srv/data/trust-baseline.json' },
        logs: { files: ['/srv/fac.log'] },
      },
    });
  });

  test('tells problems of the whole, each with the file and the line that it comes from', async () => {
    const base =
      '# Shared\nlog:\n  level: loud\nnotify: { email: { from: f@example.org, servers: [{ host: localhost }] } ' +
      '}\nwebb: {}\n';

    expect(
      await problems('include: [base.yaml]\nmail: [{ port: 0, host: a }]\ntrust: { caFiles: [missing.pem] }', {
        '/srv/site/base.yaml': base,
      }),
    ).toEqual([
      'site/ftm-watch.yaml:2:10  mail[0].port',
      'site/ftm-watch.yaml:3:20  trust.caFiles[0]',
      'site/base.yaml:3:3  log.level',
      'site/base.yaml:4:11  notify.email.to',
      'site/base.yaml:5:1',
    ]);
  });

  const INCLUDES_B = 'include: [b.yaml]';
  test.each([
    ['a missing file', 'site: hq\ninclude:\n  - none.yaml', {}, 'ftm-watch.yaml:3:5  include[0]'],
    ['one that is no YAML', INCLUDES_B, { '/srv/site/b.yaml': 'a: [' }, 'b.yaml:1:5'],
    ['one that is empty', INCLUDES_B, { '/srv/site/b.yaml': '' }, 'b.yaml'],
    ['one that is a list', INCLUDES_B, { '/srv/site/b.yaml': '- a' }, 'b.yaml:1:1'],
    ['one that includes itself', 'include: [ftm-watch.yaml]', {}, 'ftm-watch.yaml:1:1  include'],
    ['what is no list', 'include: b.yaml', {}, 'ftm-watch.yaml:1:1  include'],
    ['what is no name', 'include: [5]', {}, 'ftm-watch.yaml:1:11  include[0]'],
    ['a flood of names', `include: [${'b.yaml, '.repeat(51)}]`, {}, 'ftm-watch.yaml:1:1  include'],
  ])('refuses %s', async (_, site, others, expected) => {
    expect(await problems(site, others)).toEqual([`site/${expected}`]);
  });

  test('finds the store of the base', async () => {
    const files = {
      '/srv/site/ftm-watch.yaml': 'include: [b.yaml]\nwebb: 1',
      '/srv/site/b.yaml': 'store: { path: a.sqlite }',
    };

    expect(await locateStore(machine(files))).toEqual({ kind: 'ok', path: '/srv/site/a.sqlite' });
  });
});
