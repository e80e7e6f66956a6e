import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDaemon } from '../../src/demo/daemon.ts';
import { createLab } from '../../src/demo/lab/lab.ts';
import type { DiagnosisJson } from '../../src/engine/diagnosis-json.ts';
import { copiedTree, type CopiedTree } from '../support/process/copied-tree.ts';
import { runFtmWatch } from '../support/process/ftm-watch.ts';

/** All files that are written to add a check. */
const FOLDER: ReadonlyMap<string, string> = new Map([
  [
    'causes.ts',
    `import type { CauseWords } from '../../engine/model.ts';

export const SAMPLE_CAUSES = {
  'sample-fault': {
    severity: 'warning',
    title: 'the sample is at fault',
    short: 'sample at fault',
    headline: 'the sample {subject} is at fault',
    summary: 'The sample {subject} is at fault.',
    impact: 'none',
    remedy: ['Replace the sample.'],
  },
} satisfies Readonly<Record<string, CauseWords>>;

export type SampleCause = keyof typeof SAMPLE_CAUSES;
`,
  ],
  [
    'judge.ts',
    `import { unknown, type Finding } from '../../engine/model.ts';
import type { Declaration } from '../check.ts';
import { judged } from '../judgement.ts';
import { SAMPLE_CAUSES, type SampleCause } from './causes.ts';

export const sample: Declaration<'sample', SampleCause> = {
  id: 'sample',
  title: 'Sample',
  dependsOn: [],
  countsForReady: false,
  causes: SAMPLE_CAUSES,
  unknownRemedy: 'Give it a sample.',
  place: { kind: 'branch', name: 'Sample place', hint: 'of a stranger' },
  step: 'code',
  from: 'round',
  judge: ({ round }) => judged(judgeSample(round.path.licenseServer.subject), 'The sample is fine'),
};

function judgeSample(subject: string): readonly Finding<SampleCause>[] {
  const told = { rule: 'sample-fits', subject, claim: 'There is no sample.', expected: 'A sample' };
  return [
    { ...told, level: 'warning', suggests: 'sample-fault' },
    unknown({ ...told, claim: 'The second sample could not be checked.' }),
  ];
}
`,
  ],
]);

/** No configured server answers, and no other machine is contacted. */
const CONFIG = `
licenseServer: { host: 127.0.0.1, port: 1 }
controlHosts: []
resolvers: [udp://127.0.0.1:1]
web: { listen: 127.0.0.1:0 }
store: { path: state/history.db }
`;

describe('a check is a folder and its place in the registry', () => {
  let tree: CopiedTree;
  let main = '';
  const run = (command: string, args: readonly string[]): string =>
    execFileSync(command, args, { cwd: tree.root, encoding: 'utf8' });
  const read = (path: string): string => readFileSync(join(tree.root, path), 'utf8');

  beforeAll(() => {
    tree = copiedTree();
    main = join(tree.root, 'src/main.ts');
    const registry = 'src/checks/registry.ts';
    for (const [name, text] of FOLDER) tree.write(`src/checks/sample/${name}`, text);
    tree.replace(
      registry,
      'import { tlsGenuine }',
      "import { sample } from './sample/judge.ts';\nimport { tlsGenuine }",
    );
    tree.replace(registry, '  clock,\n', '  sample,\n  clock,\n');
    tree.write('ftm-watch.yaml', CONFIG);
  });

  afterAll(() => {
    tree[Symbol.dispose]();
  });

  test('the types of the whole tree fit', { timeout: 180_000 }, () => {
    expect(run(join(tree.root, 'node_modules/.bin/tsc'), ['-p', '.'])).toBe('');
  });

  test('"npm run generate" writes what follows from it', () => {
    run(process.execPath, ['tools/generate/run.ts']);
    expect(read('docs/runbooks/README.md')).toContain(
      '## Sample\n\n- [sample-fault](sample-fault.md): the sample is at fault\n',
    );
    expect(read('docs/runbooks/sample-fault.md')).toContain('1. Replace the sample.');
  });

  test('"check --json" has its state, and its cause in its own words', async () => {
    const { stdout } = await runFtmWatch(['check', '--json', '--config', 'ftm-watch.yaml'], { cwd: tree.root, main });
    const { preconditions, causes } = JSON.parse(stdout) as DiagnosisJson;
    expect(preconditions.find(({ id }) => id === 'sample')).toMatchObject({ state: 'unknown' });
    expect(causes).toContainEqual(
      expect.objectContaining({
        id: 'sample-fault',
        precondition: 'sample',
        summary: 'The sample 127.0.0.1:1 is at fault.',
      }),
    );
  });

  test('a site is ready although a check that only warns is unknown', { timeout: 30_000 }, async () => {
    await using lab = await createLab();
    const { stdout } = await runFtmWatch(['check', '--json', '--config', lab.configFile], { cwd: tree.root, main });
    const { ready, preconditions } = JSON.parse(stdout) as DiagnosisJson;
    expect(preconditions.find(({ id }) => id === 'sample')).toMatchObject({ state: 'unknown' });
    expect(ready).toBe('ready');
  });

  test('the metrics have it at zero, and the route map a place for it', async () => {
    await using daemon = await startDaemon('ftm-watch.yaml', tree.root, main);
    const metrics = await daemon.get('/metrics').then((answer) => answer.text());
    expect(metrics).toMatch(/^ftm_cause_active\{cause="sample-fault",severity="warning"\} 0$/mu);
    expect(metrics).toMatch(/^ftm_precondition_state\{precondition="sample",state="broken"\} 0$/mu);
    await daemon.diagnosis(() => true, AbortSignal.timeout(30_000));
    const page = await daemon.get('/').then((answer) => answer.text());
    expect(page).toContain('Sample place');
    expect(page).toContain('<li id="sample"');
  });
});
