import { execFileSync, spawnSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { type BuiltPackages, buildPackages } from '../../support/packaging/built-packages.ts';
import { deadLinks } from '../../support/packaging/document-links.ts';
import { cleanEnvironment } from '../../support/process/clean-environment.ts';
import { freePort } from '../../support/network/free-port.ts';
import { describeWhere } from '../../support/process/privilege.ts';

const NEEDS = ['dh', 'lintian', 'man', 'readelf', 'rpmbuild', 'rpmlint'].map((program) => ({ program }));
const LIMIT = 600_000;

/** Debian packages of the libraries that Node may be linked with. */
const PACKAGE_OF: ReadonlyMap<string, string> = new Map([
  ['libatomic.so.1', 'libatomic1'],
  ['libc.so.6', 'libc6'],
  ['libdl.so.2', 'libc6'],
  ['libm.so.6', 'libc6'],
  ['libpthread.so.0', 'libc6'],
  ['ld-linux-x86-64.so.2', 'libc6'],
  ['libgcc_s.so.1', 'libgcc-s1'],
  ['libstdc++.so.6', 'libstdc++6'],
]);

describeWhere(NEEDS, 'npm run package', () => {
  const stack = new DisposableStack();
  const unpacked = mkdtempSync(join(tmpdir(), 'ftm-watch-unpacked-'));
  let packages: BuiltPackages;
  let again: BuiltPackages;

  function stdoutOf(program: string, ...args: readonly string[]): string {
    return execFileSync(program, args, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  }

  const node = (): string => join(unpacked, 'usr/lib/ftm-watch/node');

  /** Returns the libraries that Node is linked with. */
  function libraries(): readonly string[] {
    return stdoutOf('readelf', '--dynamic', node()).match(/(?<=\(NEEDED\).*\[).+(?=\])/gu) ?? [];
  }

  beforeAll(async () => {
    packages = stack.use(await buildPackages('.'));
    again = stack.use(await buildPackages('.', '.deb', '.rpm', '.tar.xz', 'npm'));
    stdoutOf('dpkg-deb', '--extract', packages.file('.deb'), unpacked);
  }, LIMIT);

  afterAll(() => {
    rmSync(unpacked, { recursive: true });
    stack.dispose();
  });

  test('writes the same bytes twice', () => {
    const sums = (folder: string): readonly string[] =>
      readFileSync(join(folder, 'SHA256SUMS'), 'utf8').split('\n').filter(Boolean);
    expect(sums(again.folder)).toHaveLength(4);
    expect(sums(packages.folder)).toEqual(expect.arrayContaining([...sums(again.folder)]));
  });

  test('writes checksums of all of them', () => {
    const output = execFileSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: packages.folder });
    expect(output.toString().split('\n')).toHaveLength(readdirSync(packages.folder).length);
  });

  test('satisfies lintian, with a reason for each exception', () => {
    const { stdout, status } = spawnSync(
      'lintian',
      ['--allow-root', '--tag-display-limit', '0', '--display-info', '--show-overrides', packages.file('.deb')],
      { encoding: 'utf8' },
    );
    const tags = stdout.split('\n').filter((line) => /^[EWIX]:/u.test(line));
    expect([tags, status]).toEqual([[], 0]);
    const overridden = new Set(stdout.match(/(?<=^O: ftm-watch: )\S+/gmu));
    const overrides = readFileSync('tools/package/debian/lintian-overrides', 'utf8');
    expect(overridden).toEqual(new Set(overrides.match(/^[a-z-]+/gmu)));
  });

  test('satisfies rpmlint, with a reason for each exception', () => {
    const { stdout, status } = spawnSync('rpmlint', ['--config', 'tools/package/rpmlint.toml', packages.file('.rpm')], {
      encoding: 'utf8',
    });
    expect([stdout, status]).toEqual([expect.stringContaining(' 0 errors, 0 warnings, '), 0]);
  });

  test('says in its fields that nobody maintains it', () => {
    const field = /^built without a maintainer <.+\.invalid>$/u;
    expect(stdoutOf('dpkg-deb', '--field', packages.file('.deb'), 'Maintainer').trim()).toMatch(field);
    expect(stdoutOf('rpm', '-qp', '--queryformat', '%{PACKAGER}', packages.file('.rpm'))).toMatch(field);
  });

  test('is for RPM what it is for Debian: the same files, and the libraries that Node is linked with', () => {
    const rpm = packages.file('.rpm');
    const onlyDebian = /^\/usr\/share\/(?:lintian\/|doc\/ftm-watch\/changelog\.gz)/u;
    const files = readdirSync(unpacked, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(unpacked.length))
      .map((path) => path.replace('vendor-completions', 'site-functions'))
      .filter((path) => !onlyDebian.test(path));
    const listed = stdoutOf('rpm', '-qp', '--queryformat', '[%{FILEMODES:perms} %{FILENAMES}\n]', rpm);
    expect(listed.match(/(?<=^-\S+ ).+$/gmu)?.toSorted()).toEqual(files.toSorted());
    expect(stdoutOf('rpm', '-qp', '--configfiles', rpm)).toBe('/etc/ftm-watch/ftm-watch.yaml\n');
    const required = stdoutOf('rpm', '-qp', '--requires', rpm);
    for (const name of libraries()) expect(required).toContain(`${name}()(64bit)`);
    expect(
      required
        .match(/(?<=GLIBC_2\.)\d+/gu)
        ?.map(Number)
        .filter((minor) => minor > 28),
    ).toEqual([]);
  });

  test('has each file of deploy once: what other systems import outside the documents, all else as an example', () => {
    const share = join(unpacked, 'usr/share');
    const filesBelow = (cwd: string): readonly string[] =>
      readdirSync(cwd, { recursive: true, encoding: 'utf8' }).filter((path) => statSync(join(cwd, path)).isFile());
    const imported = filesBelow(join(share, 'ftm-watch'));
    const examples = filesBelow(join(share, 'doc/ftm-watch/examples')).filter((path) => !path.startsWith('config/'));
    expect([...imported, ...examples].toSorted()).toEqual(filesBelow('deploy').toSorted());
    const folders = new Set(imported.map((path) => path.split('/')[0]));
    expect(folders).toEqual(new Set(['checkmk', 'prtg', 'webhooks', 'zabbix']));
    const differing = imported
      .filter((path) => !path.endsWith('.md'))
      .filter((path) => !readFileSync(join(share, 'ftm-watch', path)).equals(readFileSync(join('deploy', path))));
    expect(differing).toEqual([]);
    expect(examples).toEqual(
      expect.arrayContaining(['prometheus/mixin/dashboards/site.json', 'helm/ftm-watch/files/dashboards/site.json']),
    );
  });

  test('has local checks that the agent of Checkmk can run', () => {
    const folder = join(unpacked, 'usr/share/ftm-watch/checkmk');
    expect(readdirSync(folder).toSorted()).toEqual(['ftm-watch', 'ftm-watch-piggyback']);
    for (const name of readdirSync(folder)) {
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o755);
      expect(readFileSync(join(folder, name), 'utf8')).toMatch(
        /^#!\/bin\/sh\n#.*\nexec \/usr\/bin\/ftm-watch check --/u,
      );
    }
  });

  test('has nothing in it that is younger than the source, of another owner or of a user of this machine', () => {
    const env = { ...process.env, TZ: 'UTC' };
    const listed = execFileSync('dpkg-deb', ['--contents', packages.file('.deb')], { encoding: 'utf8', env })
      .split('\n')
      .filter(Boolean);
    const epoch = Number(stdoutOf('git', 'log', '-1', '--format=%ct'));
    const time = new Date(epoch * 1000).toISOString().slice(0, 16).replace('T', ' ');
    expect(listed.length).toBeGreaterThan(100);
    expect(listed.filter((line) => !line.includes(` root/root `) || !line.includes(` ${time} `))).toEqual([]);
  });

  test('depends on what its Node is linked with', () => {
    const depends = stdoutOf('dpkg-deb', '--field', packages.file('.deb'), 'Depends');
    expect(libraries().length).toBeGreaterThan(4);
    for (const name of libraries()) expect(depends).toContain(PACKAGE_OF.get(name) ?? name);
    const versions = [...stdoutOf('readelf', '--version-info', '--wide', node()).matchAll(/ GLIBC_2\.(?<minor>\d+)/gu)];
    const newest = Math.max(...versions.map(({ groups }) => Number(groups?.['minor'])));
    expect(depends).toContain(`libc6 (>= 2.${String(newest)})`);
  });

  test('has a manual page without mistakes, which knows every command', () => {
    const page = join(unpacked, 'usr/share/man/man1/ftm-watch.1.gz');
    const { stdout, stderr } = spawnSync('man', ['--warnings', '--local-file', page], {
      encoding: 'utf8',
      env: { ...process.env, MANWIDTH: '100', LC_ALL: 'C.UTF-8' },
    });
    expect(stderr).toBe('');
    const help = stdoutOf(process.execPath, 'src/main.ts', '--help');
    const commands = [...help.matchAll(/^ {2}(?<name>[a-z]+)(?= )/gmu)].map(({ groups }) => groups?.['name'] ?? '');
    expect(commands).toEqual(expect.arrayContaining(['run', 'check', 'trust']));
    for (const name of commands.filter((one) => one !== 'help'))
      expect(stdout).toMatch(new RegExp(`^ {3}${name} `, 'mu'));
    expect(stdout).toContain('--fingerprint <sha256>');
  });

  test('has completions, as the program prints them', () => {
    for (const [shell, path] of [
      ['bash', 'bash-completion/completions/ftm-watch'],
      ['zsh', 'zsh/vendor-completions/_ftm-watch'],
      ['fish', 'fish/vendor_completions.d/ftm-watch.fish'],
    ] as const)
      expect(readFileSync(join(unpacked, 'usr/share', path), 'utf8')).toBe(
        stdoutOf(process.execPath, 'src/main.ts', 'completion', shell),
      );
  });

  test('writes an archive with the same program', () => {
    stdoutOf('tar', '--extract', '--file', packages.file('.tar.xz'), '--directory', unpacked);
    const name = basename(packages.file('.tar.xz'), '.tar.xz');
    const program = 'lib/ftm-watch/program';
    stdoutOf('diff', '--recursive', join(unpacked, 'usr', program), join(unpacked, name, program));
    expect(readFileSync(join(unpacked, name, 'lib/systemd/system/ftm-watch.service'), 'utf8')).toMatch(
      /^ExecStart=\/opt\/ftm-watch\/lib\/ftm-watch\/node --disable-sigusr1 \/opt\/ftm-watch\/lib\/ftm-watch\/program\/main\.js /mu,
    );
  });

  test('has documents whose links lead to files in the same package', () => {
    const installed = mkdtempSync(join(unpacked, 'documents-'));
    const archived = join(installed, 'archive');
    const npm = join(installed, 'npm');
    mkdirSync(archived);
    mkdirSync(npm);
    stdoutOf('tar', '--extract', '--file', packages.file('.tar.xz'), '--strip-components=1', '--directory', archived);
    stdoutOf('tar', '--extract', '--file', packages.file('npm.tgz'), '--strip-components=1', '--directory', npm);
    for (const [folder, least] of [
      [join(unpacked, 'usr'), 50],
      [archived, 51],
      [npm, 1],
    ] as const) {
      const documents = globSync('**/*.md', { cwd: folder }).map((path) => join(folder, path));
      expect(documents.length).toBeGreaterThanOrEqual(least);
      expect(documents.flatMap(deadLinks)).toEqual([]);
    }
  });

  describe('for npm', () => {
    test('writes a package that checks, installed without a network', async () => {
      const folder = join(unpacked, 'empty');
      mkdirSync(folder);
      const closed = `127.0.0.1:${String(await freePort())}`;
      const config = { licenseServer: { host: '127.0.0.1', port: 9 }, controlHosts: [closed], resolvers: [closed] };
      writeFileSync(join(folder, 'ftm-watch.yaml'), JSON.stringify(config));
      const npm = (...args: readonly string[]): { readonly status: number | null; readonly stdout: string } =>
        spawnSync('npm', args, { cwd: folder, env: cleanEnvironment(), encoding: 'utf8' });
      expect(npm('install', packages.file('npm.tgz'), '--offline')).toMatchObject({ status: 0 });
      const check = npm('exec', '--offline', '--', 'ftm-watch', 'check', '-c', 'ftm-watch.yaml');
      expect(check.stdout).toContain('NOT READY: ');
      expect(check.status).toBe(2);
      expect(npm('exec', '--offline', '--', 'ftm-watch', '--version').stdout).toBe(`${packageJson.version}\n`);
    });
  });
});
