import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { runCommand, type Ran } from '../../support/process/command-line.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

const folder = folderOfEachTest();

/** @param answers typed by the person at the terminal; null: there is no terminal */
function init(args: readonly string[], answers: readonly string[] | null = null): Promise<Ran> {
  const waiting = [...(answers ?? [])];
  const ask = answers === null ? null : () => Promise.resolve(waiting.shift() ?? '');
  return runCommand(['init', '-c', 'new/ftm-watch.yaml', ...args], { cwd: folder.path, ask });
}

const written = (): string => readFileSync(folder.at('new', 'ftm-watch.yaml'), 'utf8');

describe('ftm-watch init', () => {
  test('writes what options say in some ten lines, which config check accepts', async () => {
    const args = ['--appliance', '10.0.0.5', 'fd00::5', '--mail-server', 'mail.example.org:465'];
    const ran = await init([
      ...args,
      '--site',
      'hq',
      '--tell',
      'admins@example.org',
      '--alertmanager',
      'http://am:9093',
    ]);

    expect(ran).toEqual({
      code: 0,
      output: expect.stringContaining(`Wrote new/ftm-watch.yaml:\n\n${written()}`),
      errors: '',
    });
    expect(ran.output).toContain('Syslog Servers: UDP, port 5514');
    expect(statSync(folder.at('new', 'ftm-watch.yaml')).mode & 0o777).toBe(0o600);
    const relay = { host: 'mail.example.org', port: 465, security: 'tls' };
    expect(parse(written())).toEqual({
      site: 'hq',
      appliances: [
        { name: 'fac-1', logSources: ['10.0.0.5'] },
        { name: 'fac-2', logSources: ['fd00::5'] },
      ],
      logs: { syslog: { udp: '[::]:5514' } },
      mail: [relay],
      notify: {
        email: {
          from: 'ftm-watch@example.org',
          to: ['admins@example.org'],
          servers: [relay, { host: 'localhost', security: 'none' }],
        },
        alertmanager: { urls: ['http://am:9093'] },
      },
    });
    expect(written().trimEnd().split('\n').length).toBeLessThanOrEqual(17);
    const checked = await runCommand(['config', 'check', '--file-only', '-c', 'new/ftm-watch.yaml'], {
      cwd: folder.path,
    });
    expect(checked).toMatchObject({ code: 0, errors: '', output: expect.not.stringContaining('globalping') });
    writeFileSync(folder.at('asking.yaml'), written().replace(/^# (?=outside:)/mu, ''));
    expect(
      await runCommand(['config', 'check', '--file-only', '-c', 'asking.yaml'], { cwd: folder.path }),
    ).toMatchObject({
      code: 0,
      output: expect.stringMatching(/\.fortinet\.com:443\s[^.]*DE\b[^.]*US\s[^.]*api\.globalping\.io/u),
    });
  });

  test('asks a person, again where an answer cannot be used', async () => {
    const ran = await init([], ['', '10.0.0.5, 10.0.0.300', '10.0.0.5', '[fd00::25]:587', '', '']);
    expect(ran.output).toContain('appliances[1].logSources[0]: expected a host name or an address, got "10.0.0.300"');
    expect(parse(written())).toEqual({
      appliances: [{ name: 'fac-1', logSources: ['10.0.0.5'] }],
      logs: { syslog: { udp: '0.0.0.0:5514' } },
      mail: [{ host: 'fd00::25', port: 587 }],
    });
  });

  test('asks nobody who has said something, and writes nothing that cannot be used', async () => {
    expect(await init(['--tell', 'foo'], ['hq'])).toEqual({
      code: 3,
      output: '',
      errors:
        'Cannot write "new/ftm-watch.yaml": notify.email.to[0]: expected an email address such as ' +
        '"admins@example.org", got "foo"\n',
    });
    expect(written).toThrow('ENOENT');
  });

  test('writes the defaults where nobody says anything', async () => {
    expect(await init([])).toMatchObject({ code: 0, errors: 'Name of this site [watcher]: \n' });
    expect(parse(written())).toBeNull();
    expect(
      (await runCommand(['config', 'check', '--file-only', '-c', 'new/ftm-watch.yaml'], { cwd: folder.path })).code,
    ).toBe(0);
  });

  /** Yields the content of a pipe. */
  async function* pipe(...chunks: readonly string[]): AsyncGenerator<Buffer> {
    for (const chunk of chunks) yield Buffer.from(chunk);
  }

  test('takes piped answers, a line for each question', async () => {
    const input = pipe('hq\n10.0.0.5 10.0', '.0.6\n\nadmins@example.org');
    const ran = await runCommand(['init', '-c', 'new/ftm-watch.yaml'], { cwd: folder.path, input });
    expect(ran.code).toBe(0);
    expect(ran.errors).toContain(
      'Name of this site [watcher]: \nAddresses of your FortiAuthenticator units [none]: \n',
    );
    expect(parse(written())).toMatchObject({
      site: 'hq',
      appliances: [{ logSources: ['10.0.0.5'] }, { logSources: ['10.0.0.6'] }],
      notify: { email: { to: ['admins@example.org'] } },
    });
  });

  test('refuses a piped answer that cannot be used', async () => {
    const ran = await runCommand(['init', '-c', 'new/ftm-watch.yaml'], {
      cwd: folder.path,
      input: pipe('hq\n10.0.0.300\n'),
    });
    expect(ran).toMatchObject({ code: 3, output: '' });
    expect(ran.errors).toMatch(/\nInvalid answer: appliances\[0\].*got "10\.0\.0\.300"\n$/u);
    expect(written).toThrow('ENOENT');
  });

  test('names the file in what comes next, where it would not be found', async () => {
    expect((await init([])).output).toContain(
      'Next:\n' +
        '  ftm-watch config check -c new/ftm-watch.yaml   check whether the daemon can start, and show ' +
        'warnings\n  ftm-watch check -c new/ftm-watch.yaml          run all checks once\n' +
        '  ftm-watch run -c new/ftm-watch.yaml            start the daemon and its status page\n',
    );
    expect((await runCommand(['init', '-c', "an 'other'.yaml"], { cwd: folder.path })).output).toContain(
      String.raw`ftm-watch check -c 'an '\''other'\''.yaml' `,
    );
    const usual = await runCommand(['init', '-c', './config/ftm-watch.yaml'], {
      cwd: folder.path,
      checkout: folder.path,
    });
    expect(usual.output).toContain('  ftm-watch check          run all checks once\n');
  });

  test('never overwrites', async () => {
    writeFileSync(folder.at('own.yaml'), 'site: own');
    expect(await runCommand(['init', '-c', 'own.yaml', '--site', 'hq'], { cwd: folder.path })).toEqual({
      code: 3,
      output: '',
      errors: 'Cannot write "own.yaml": the file already exists and will not be overwritten\n',
    });
    expect(readFileSync(folder.at('own.yaml'), 'utf8')).toBe('site: own');
  });
});

describeWhere(['root', { program: 'mount' }], 'ftm-watch init on a full disk', () => {
  test('leaves nothing that would stop the next attempt', async () => {
    const mount = folder.at('new');
    mkdirSync(mount);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', mount]);
    try {
      writeFileSync(folder.at('new', 'full'), Buffer.alloc(4096));
      expect(await init(['--site', 'hq'])).toMatchObject({ code: 3, errors: expect.stringContaining('ENOSPC') });
      expect(readdirSync(mount)).toEqual(['full']);
    } finally {
      execFileSync('umount', [mount]);
    }
  });
});
