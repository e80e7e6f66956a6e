import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { cleanEnvironment } from '../../support/process/clean-environment.ts';
import { copiedTree, type CopiedTree } from '../../support/process/copied-tree.ts';

const VERSION = packageJson.version.replace(/(\d+)\.\d+$/u, (_, minor) => `${String(Number(minor) + 1)}.0`);
const MAINTAINER = 'A. Admin <admin@example.org>';
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

describe('npm version', () => {
  let tree: CopiedTree;

  function release(env: NodeJS.ProcessEnv = { MAINTAINER }): { status: number | null; stderr: string } {
    const { status, stderr } = spawnSync('npm', ['version', 'minor'], {
      cwd: tree.root,
      env: { ...ENVIRONMENT, ...env },
      encoding: 'utf8',
    });
    return { status, stderr };
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
      for (const [name, rpmName, machine] of [
        ['amd64', 'x86_64', 'X86-64'],
        ['arm64', 'aarch64', 'AArch64'],
      ] as const) {
        const file = `${FOLDER}/ftm-watch_${VERSION}_${name}.deb`;
        expect(shell(`dpkg-deb --field ${file} Version Architecture Maintainer`)).toBe(
          `Version: ${VERSION}\nArchitecture: ${name}\nMaintainer: ${MAINTAINER}`,
        );
        const query = "rpm -qp --queryformat '%{VERSION} %{PACKAGER}'";
        expect(shell(`${query} ${FOLDER}/ftm-watch-${VERSION}-1.${rpmName}.rpm`)).toBe(`${VERSION} ${MAINTAINER}`);
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

  test('makes the version, the changelog, the files, the commit and the tag', () => {
    const { status, stderr } = release();

    expect([status, stderr]).toEqual([0, '']);
    expect(shell(`git show --name-only --format=%s v${VERSION}^0`)).toBe(
      `release: ${VERSION}\n\nCHANGELOG.md\nDockerfile\ndeploy/helm/ftm-watch/Chart.yaml\npackage-lock.json\n` +
        'package.json',
    );
    expect(shell('git status --porcelain --untracked-files=all')).toBe('');
    expect(shell(`git cat-file -t v${VERSION} && git tag`)).toBe(`tag\nv${VERSION}`);
    const changelog = readFileSync(join(tree.root, 'CHANGELOG.md'), 'utf8');
    expect(changelog).toContain('\n## Unreleased\n\n## ');
    expect(changelog).toMatch(new RegExp(`^## ${VERSION} \\(\\d{4}-\\d\\d-\\d\\d\\)$`, 'mu'));
    expect(shell(`${process.execPath} tools/release/notes.ts`)).toBe(CHANGELOG.trim().split('\n').at(-1));
    expect(readFileSync(join(tree.root, 'Dockerfile'), 'utf8')).toContain(`\nARG VERSION=${VERSION}\n`);
    expect(shell('git log --oneline | wc -l')).toBe('2');
    expect(shell(`cd ${FOLDER} && sha256sum --check --strict SHA256SUMS`).split('\n')).toHaveLength(11);
    expectUsable();
  }, 600_000);

  test('refuses what is not committed, another branch, an empty changelog, a tag and nobody, all at once', () => {
    tree.write('CHANGELOG.md', '# Changelog\n\n## Unreleased\n\n## 0.1.0\n\n- One.\n');
    shell(`git commit --quiet --all --message=empty && git tag v${VERSION} && git switch --quiet --create other`);
    tree.write('src/new.ts', '');
    const before = state();
    const { status, stderr } = release({});
    expect(status).toBe(1);
    for (const reason of ['?? src/new.ts', '"other"', '"Unreleased"', `"v${VERSION}"`, 'MAINTAINER is ""'])
      expect(stderr).toContain(reason);
    expect(release({ MAINTAINER: 'nobody' })).toMatchObject({ status: 1, stderr: expect.stringContaining('"nobody"') });
    expect(state()).toBe(before);
  });
});
