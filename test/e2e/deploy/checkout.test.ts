import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { copiedTree, type CopiedTree } from '../../support/process/copied-tree.ts';
import { cleanEnvironment } from '../../support/process/clean-environment.ts';
import { describeWhere } from '../../support/process/privilege.ts';

/** The code block under "From a checkout". */
const [, COMMANDS = ''] =
  /### From a checkout\n[^`]*(?:`[^`]+`[^`]*)*```sh\n([^]*?)\n```/u.exec(
    readFileSync(new URL('../../../README.md', import.meta.url), 'utf8'),
  ) ?? [];

/** Starts the daemon in the background and polls until the page responds. Everything ends with the script. */
const SCRIPT = String.raw`
ip link set lo up
npm start > log 2>&1 &
node --input-type=module --eval '
  for (let tries = 0; tries < 300; tries += 1) {
    const answer = await fetch("http://127.0.0.1:9843/-/healthy").then((response) => response.text(), () => "");
    if (answer !== "") { process.stdout.write(answer); break; }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }'
cat log >&2
`;

describeWhere(['root', { program: 'unshare' }], 'a checkout, by the commands of README.md', () => {
  let tree: CopiedTree;

  beforeAll(() => {
    tree = copiedTree();
  });
  afterAll(() => tree[Symbol.dispose]());

  // The same command installed the packages on this machine. An isolated network has no registry.
  test('starts and serves its page, on a machine that reaches nothing', { timeout: 60_000 }, () => {
    expect(COMMANDS).toBe('npm ci && npm start');
    const { stdout, stderr } = spawnSync(
      'unshare',
      ['--net', '--pid', '--fork', '--kill-child', 'bash', '-c', SCRIPT],
      {
        cwd: tree.root,
        encoding: 'utf8',
        env: cleanEnvironment(),
      },
    );
    expect(stdout).toBe('Healthy\n');
    expect(stderr).toContain('page-served');
  });
});
