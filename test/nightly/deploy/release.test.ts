import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { nextVersion } from '../../../tools/release/version.ts';
import { cleanEnvironment } from '../../support/process/clean-environment.ts';
import { copiedTree, type CopiedTree } from '../../support/process/copied-tree.ts';

const VERSION = nextVersion(packageJson.version, 'minor');
const FOLDER = `release/${VERSION}`;
const ENVIRONMENT = {
  ...cleanEnvironment(),
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.org',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.org',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
};
const CHANGELOG = '# Changelog\n\n## Unreleased\n\n- [FEATURE] All of it.\n';

describe('npm run release', () => {
  let tree: CopiedTree;

  function release(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
    const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', 'release', '--', ...args], {
      cwd: tree.root,
      env: ENVIRONMENT,
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  }

  function shell(command: string): string {
    return execFileSync('sh', ['-ec', command], { cwd: tree.root, env: ENVIRONMENT, encoding: 'utf8' }).trim();
  }

  function state(): string {
    return shell('git rev-parse HEAD; git status --porcelain; git tag; ls release/* 2>/dev/null || true');
  }

  /** Checks that the packages have the right version, that the image can be built, and so on. */
  function expectUsable(): void {
    const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-release-'));
    const unpacked = (name: string): readonly string[] => {
      shell(`tar --extract --file ${FOLDER}/${name} --directory ${folder}`);
      return shell(`tar --list --file ${FOLDER}/${name}`).split('\n');
    };
    try {
      const program = unpacked(`ftm-watch-${VERSION}-linux-amd64.tar.xz`);
      expect(program.filter((path) => /\/(?:src|test|node_modules)\//u.test(path))).toEqual([]);
      expect(
        shell(`${process.execPath} ${folder}/ftm-watch-${VERSION}-linux-amd64/lib/ftm-watch/program/main.js --version`),
      ).toBe(VERSION);
      expect(unpacked(`ftm-watch-${VERSION}-source.tar.gz`)).toContain(`ftm-watch-${VERSION}/src/main.ts`);
      expect(unpacked(`ftm-watch-${VERSION}-image.tar.gz`)).toEqual(
        expect.arrayContaining(['Dockerfile', 'src/main.ts', 'tools/bundle/bundle.ts', 'package-lock.json']),
      );
      expect(unpacked(`ftm-watch-${VERSION}.tgz`)).toContain('ftm-watch/templates/deployment.yaml');
      expect(shell(`find ${folder}/ftm-watch -type l`)).toBe('');
      shell(`diff --recursive ${folder}/ftm-watch deploy/helm/ftm-watch`);
      expect(readFileSync(join(folder, 'ftm-watch/Chart.yaml'), 'utf8')).toContain(`\nappVersion: ${VERSION}\n`);
      const bill = JSON.parse(readFileSync(join(tree.root, FOLDER, `ftm-watch-${VERSION}.cdx.json`), 'utf8')) as object;
      expect(bill).toHaveProperty('metadata.component.version', VERSION);
      for (const [name, machine] of [
        ['amd64', 'X86-64'],
        ['arm64', 'AArch64'],
      ] as const) {
        const file = `${FOLDER}/ftm-watch_${VERSION}_${name}.deb`;
        expect(shell(`dpkg-deb --field ${file} Version Architecture`)).toBe(
          `Version: ${VERSION}\nArchitecture: ${name}`,
        );
        shell(`dpkg-deb --extract ${file} ${folder}/${name}`);
        expect(shell(`readelf --file-header ${folder}/${name}/usr/lib/ftm-watch/node`)).toMatch(
          new RegExp(`Machine: .*${machine}$`, 'mu'),
        );
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  beforeAll(() => {
    tree = copiedTree();
    tree.write('CHANGELOG.md', CHANGELOG);
    shell('git init --quiet --initial-branch=main && echo node_modules >>.git/info/exclude');
    shell('git add . && git commit --quiet --message=all && git branch start');
  });

  afterEach(() => {
    shell('git switch --quiet --force main && git reset --quiet --hard start && git clean --quiet --force -d');
    shell('git tag --list | xargs --no-run-if-empty git tag --delete && rm -rf release');
  });

  afterAll(() => {
    tree[Symbol.dispose]();
  });

  test('makes the version, the changelog, the files, the commit and the tag, and says how to undo it', () => {
    const before = state();
    const { status, stdout, stderr } = release('minor');

    expect([status, stderr]).toEqual([0, '']);
    expect(shell(`git show --name-only --format=%s v${VERSION}^0`)).toBe(
      `release: ${VERSION}\n\nCHANGELOG.md\nDockerfile\ndeploy/helm/ftm-watch/Chart.yaml\npackage-lock.json\n` +
        'package.json',
    );
    expect(shell('git status --porcelain --untracked-files=all')).toBe('');
    expect(shell(`git cat-file -t v${VERSION} && git tag`)).toBe(`tag\nv${VERSION}`);
    const date = /^## (?<version>\S+) \((?<date>\d{4}-\d\d-\d\d)\)$/mu.exec(
      readFileSync(join(tree.root, 'CHANGELOG.md'), 'utf8'),
    );
    expect(date?.groups?.['version']).toBe(VERSION);
    expect(readFileSync(join(tree.root, 'Dockerfile'), 'utf8')).toContain(`\nARG VERSION=${VERSION}\n`);
    expect(shell('git log --oneline | wc -l')).toBe('2');
    expect(readdirSync(join(tree.root, FOLDER)).filter((name) => !stdout.includes(`  ${name} `))).toEqual([]);
    expect(shell(`cd ${FOLDER} && sha256sum --check --strict SHA256SUMS`).split('\n')).toHaveLength(9);
    expectUsable();

    expect(state()).not.toBe(before);
    shell(/^To undo, before it is published:\n {2}(.*)$/mu.exec(stdout)?.[1] ?? 'false');
    expect(state()).toBe(before);
  }, 300_000);

  test('changes nothing with --dry-run, and explains itself with --help', () => {
    const before = state();
    const dry = release('minor', '--dry-run');
    expect(dry).toMatchObject({ status: 0, stderr: '' });
    expect(dry.stdout).toContain(`Would release ${VERSION} (it is ${packageJson.version}) with 1 entries`);
    const swallowed = spawnSync('npm', ['run', '--silent', 'release', '--dry-run', 'minor'], {
      cwd: tree.root,
      env: ENVIRONMENT,
      encoding: 'utf8',
    });
    expect(swallowed.stdout).toBe(dry.stdout);
    expect(release('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('Usage: npm run release') });
    expect(release()).toMatchObject({ status: 2, stderr: expect.stringContaining('Usage: npm run release') });
    expect(release(packageJson.version)).toMatchObject({
      status: 2,
      stderr: `Cannot release "${packageJson.version}": expected a version later than ${packageJson.version}\n`,
    });
    expect(state()).toBe(before);
  });

  test('refuses what is not committed, another branch, an empty changelog and a tag that exists, all at once', () => {
    tree.write('CHANGELOG.md', '# Changelog\n\n## Unreleased\n\n## 0.1.0\n\n- One.\n');
    shell(`git commit --quiet --all --message=empty && git tag v${VERSION} && git switch --quiet --create other`);
    tree.write('src/new.ts', '');
    const before = state();
    expect(release('minor')).toEqual({
      status: 1,
      stdout: '',
      stderr:
        `Cannot release ${VERSION}:\n  what is not committed:\n    ?? src/new.ts\n` +
        '  the branch is "other": expected "main"\n  CHANGELOG.md lists nothing under "Unreleased"\n' +
        `  the tag "v${VERSION}" exists\n`,
    });
    expect(state()).toBe(before);
  });

  test('sets no tag when something fails, and says how to undo the rest', () => {
    tree.write('src/main.ts', 'const');
    shell('git commit --quiet --all --message=broken');
    const before = state();
    const { status, stderr } = release('minor');
    expect(status).toBe(1);
    expect(stderr).toContain(`Cannot release ${VERSION}: `);
    expect(shell('git tag')).toBe('');
    shell(/^To undo what was done so far:\n {2}(.*)$/mu.exec(stderr)?.[1] ?? 'false');
    expect(shell('git rev-parse HEAD; git status --porcelain; git tag')).toBe(before.split('\n')[0]);
  });
});
