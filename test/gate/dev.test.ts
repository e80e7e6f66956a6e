import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { cleanEnvironment } from '../support/process/clean-environment.ts';
import { copiedTree } from '../support/process/copied-tree.ts';

const PATIENCE = { timeout: 30_000, interval: 50 };
/** No configured server answers, and no other machine is contacted. */
const CONFIG = `
licenseServer: { host: 127.0.0.1, port: 1 }
controlHosts: []
resolvers: [udp://127.0.0.1:1]
web: { listen: 127.0.0.1:0 }
store: { path: state/history.db }
`;

test('"npm run dev" stops and starts the daemon after a change, also after one that breaks it', async () => {
  using tree = copiedTree();
  tree.write('ftm-watch.yaml', CONFIG);
  const npm = spawn('npm', ['run', '--silent', 'dev', '--', '--config', 'ftm-watch.yaml'], {
    cwd: tree.root,
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'ignore'],
    // A separate process group, which Ctrl-C in a terminal would interrupt as a whole.
    detached: true,
  });
  const { pid = 0 } = npm;
  let output = '';
  npm.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  /** The relevant output so far. */
  const said = (): readonly string[] =>
    [...output.matchAll(/"event":"(starting|page-served|stopped)"|^(Failed) running/gmu)].map(
      ([, event, failed]) => event ?? failed ?? '',
    );
  const starts = ['starting', 'page-served'];
  try {
    await expect.poll(said, PATIENCE).toEqual(starts);
    tree.write('src/web/static/new.js', '');
    await expect.poll(said, PATIENCE).toEqual([...starts, 'stopped', ...starts]);
    tree.write('src/main.ts', 'const broken;');
    await expect.poll(said, PATIENCE).toEqual([...starts, 'stopped', ...starts, 'stopped', 'Failed']);
    tree.write('src/main.ts', 'console.log(\'"event":"starting"\');');
    await expect.poll(() => said().at(-1), PATIENCE).toBe('starting');
  } finally {
    process.kill(-pid, 'SIGINT');
    await once(npm, 'exit');
  }
});
