import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, cp, mkdir, mkdtemp, readFile, realpath, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { createIdentity } from './authority.ts';
import { findProgram } from './privilege.ts';

const run = promisify(execFile);

const HOST = 'nodejs.org';
/** One of loopback that nobody else listens at. */
const ADDRESS = '127.0.0.9';

/**
 * nodejs.org on loopback, for a machine without the internet: with an archive of the Node and npm that this process
 * runs on.
 */
export interface NodeDistribution extends AsyncDisposable {
  /** The line of the hosts file that leads to it. */
  readonly hostsLine: string;
  /** The authority of its certificate. */
  readonly authorityPem: string;
  /** The paths that were asked for. */
  readonly asked: readonly string[];
}

/** Needs root, for port 443. */
export async function serveNodeDistribution(): Promise<NodeDistribution> {
  const files = await distributionFiles(process.version);
  const authority = await createIdentity({ name: 'CN=stand-in for nodejs.org', authority: true });
  const { pem: cert, keyPem: key } = await createIdentity({ name: `CN=${HOST}`, issuer: authority, dnsNames: [HOST] });
  const asked: string[] = [];
  const server = createServer({ cert, key }, ({ url = '' }, response) => {
    asked.push(url);
    const body = files.get(url);
    response.writeHead(body === undefined ? 404 : 200).end(body);
  });
  server.listen(443, ADDRESS);
  await once(server, 'listening');
  return {
    hostsLine: `${ADDRESS} ${HOST}\n`,
    authorityPem: authority.pem,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function distributionFiles(version: string): Promise<ReadonlyMap<string, Buffer>> {
  const folder = await mkdtemp(join(tmpdir(), 'ftm-watch-node-'));
  const name = `node-${version}-linux-x64`;
  // What is called `npm` is a link to its program, two folders deep in the package.
  const npm = dirname(dirname(await realpath(findProgram('npm') ?? 'npm')));
  await mkdir(join(folder, name, 'bin'), { recursive: true });
  await copyFile(process.execPath, join(folder, name, 'bin/node'));
  await cp(npm, join(folder, name, 'lib/node_modules/npm'), { recursive: true });
  await symlink('../lib/node_modules/npm/bin/npm-cli.js', join(folder, name, 'bin/npm'));
  const archive = `${name}.tar.xz`;
  await run('tar', ['--create', '--xz', '--file', archive, name], {
    cwd: folder,
    env: { ...process.env, XZ_OPT: '-0 --threads=2' },
  });
  const packed = await readFile(join(folder, archive));
  await rm(folder, { recursive: true });
  const sums =
    `${'0'.repeat(64)}  node-${version}-headers.tar.xz\n` +
    `${createHash('sha256').update(packed).digest('hex')}  ${archive}\n`;
  return new Map([
    [`/dist/${version}/${archive}`, packed],
    [`/dist/${version}/SHASUMS256.txt`, Buffer.from(sums)],
  ]);
}
