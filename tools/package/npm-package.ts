import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { documentText } from './documents.ts';
import type { Build } from './program.ts';

/** Writes the npm package: the bundled program, which depends only on Node. */
export function writeNpmPackage(file: string, { root, version, dist }: Build): void {
  using temporary = mkdtempDisposableSync(join(tmpdir(), 'ftm-watch-npm-'));
  const folder = join(temporary.path, 'package');
  cpSync(dist, folder, { recursive: true });
  writeFileSync(join(folder, 'README.md'), documentText(root, { source: 'README.md', path: 'README.md' }, []));
  const { name, description, license, type, engines, optionalDependencies } = packageJson;
  const bin = { [name]: 'main.js' };
  const manifest = { name, version, description, license, type, bin, engines, optionalDependencies };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest, null, 2));
  const args = ['pack', '--silent', '--ignore-scripts', `--pack-destination=${temporary.path}`];
  const packed = execFileSync('npm', args, { cwd: folder, encoding: 'utf8' }).trim();
  cpSync(join(temporary.path, packed), file);
}
