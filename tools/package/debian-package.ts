import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Architecture } from './architecture.ts';
import { copyOf, type FileTree, type TreeFile, writeTree } from './file-tree.ts';
import { nodeRuntime } from './node-runtime.ts';
import { type Build, packed, programTree } from './program-tree.ts';

const CONFIGURATION = 'etc/ftm-watch/ftm-watch.yaml';
const MAINTAINER = 'ftm-watch maintainers <maintainers@ftm-watch.example>';

/** Libraries that Node is linked with; a test compares them with the file. systemd manages the user and the folders. */
const DEPENDS = [
  'libatomic1',
  'libc6 (>= 2.28)',
  'libgcc-s1 (>= 3.4)',
  'libstdc++6 (>= 5.2)',
  'init-system-helpers (>= 1.54)',
  'systemd | systemd-sysusers',
  'systemd | systemd-tmpfiles',
];

/** Writes the Debian package. The same source gives the same bytes. */
export function writeDebianPackage(file: string, build: Build, architecture: Architecture): void {
  const temporary = mkdtempSync(join(tmpdir(), 'ftm-watch-deb-'));
  const folder = join(temporary, 'root');
  try {
    const tree = installedTree(build, nodeRuntime(build.root, architecture));
    writeTree(folder, new Map([...tree, ...controlTree(build, architecture, tree)]), build.date);
    // Level 6 takes ten times as long to save a fifth. Always two threads, because one would give other bytes.
    const how = ['--root-owner-group', '-Zxz', '-z0', '--threads-max=2'];
    execFileSync('dpkg-deb', [...how, '--build', folder, file], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(build.date) },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  } finally {
    rmSync(temporary, { recursive: true });
  }
}

function installedTree(build: Build, node: string): FileTree {
  const { root, version, date } = build;
  const program = [...programTree(build, node, '/usr')].map(([path, one]): readonly [string, TreeFile] => [
    `usr/${path}`,
    one,
  ]);
  return new Map<string, TreeFile>([
    ...program,
    [CONFIGURATION, { ...copyOf(join(root, 'deploy/systemd/ftm-watch.yaml')), mode: 0o640 }],
    ['usr/share/doc/ftm-watch/changelog.gz', packed(changelog(version, date))],
    ['usr/share/lintian/overrides/ftm-watch', copyOf(join(root, 'tools/package/debian/lintian-overrides'))],
  ]);
}

function controlTree(build: Build, architecture: Architecture, tree: FileTree): FileTree {
  const script = (name: string): readonly [string, TreeFile] => [
    `DEBIAN/${name}`,
    { ...copyOf(join(build.root, 'tools/package/debian', name)), mode: 0o755 },
  ];
  return new Map<string, TreeFile>([
    ['DEBIAN/control', { content: control(build, architecture, tree), mode: 0o644 }],
    ['DEBIAN/conffiles', { content: `/${CONFIGURATION}\n`, mode: 0o644 }],
    ['DEBIAN/md5sums', { content: checksums(tree), mode: 0o644 }],
    script('postinst'),
    script('prerm'),
    script('postrm'),
  ]);
}

function control({ version }: Build, { name }: Architecture, tree: FileTree): string {
  const kibibytes = [...tree.values()].map((one) => Math.ceil(bytesOf(one).length / 1024));
  return `Package: ftm-watch
Version: ${version}
Architecture: ${name}
Maintainer: ${MAINTAINER}
Installed-Size: ${String(kibibytes.reduce((sum, size) => sum + size, 0))}
Depends: ${DEPENDS.join(', ')}
Section: net
Priority: optional
Description: monitors the preconditions of FortiToken Mobile activation
 It runs next to FortiAuthenticator, checks the whole path to the licence
 server, and reports which precondition is broken, why, and how to fix it.
 The package contains a daemon with a status page, metrics, mail and webhooks,
 and a command for manual checks.
 .
 The package includes Node.js.
`;
}

function checksums(tree: FileTree): string {
  const lines = [...tree]
    .filter(([path]) => path !== CONFIGURATION)
    .map(([path, one]) => `${createHash('md5').update(bytesOf(one)).digest('hex')}  ${path}\n`);
  return lines.toSorted().join('');
}

function bytesOf({ content }: TreeFile): Uint8Array {
  if (typeof content === 'string') return Buffer.from(content);
  return content instanceof Uint8Array ? content : readFileSync(content.copyOf);
}

/** Debian requires a changelog in its own format. */
function changelog(version: string, date: number): string {
  const time = new Date(date * 1000).toUTCString().replace('GMT', '+0000');
  return `ftm-watch (${version}) stable; urgency=medium

  * /usr/share/doc/ftm-watch/CHANGELOG.md has the changes.

 -- ${MAINTAINER}  ${time}
`;
}
