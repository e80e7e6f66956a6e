import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDaemon } from '../lab/daemon.ts';
import type { DiagnosisJson } from '../../src/engine/diagnosis-json.ts';
import { copiedTree, type CopiedTree } from '../support/copied-tree.ts';
import { freePort } from '../support/free-port.ts';
import { runFtmWatch } from '../support/ftm-watch.ts';

/** The compiler alone takes ten seconds, on a busy machine a minute. */
const COMPILING = 180_000;

/** What somebody writes who adds a source. */
const SOURCE = `import { hostPort } from '../../config/schema/endpoints.ts';
import { list } from '../../config/schema/section.ts';
import { authority, type HostPort } from '../../core/addresses.ts';
import { openSocket } from '../../network/connect.ts';
import type { GaugeDefinition, RoundSource } from '../source.ts';

interface Sections {
  readonly samples: readonly HostPort[];
}

export interface SampleSeen {
  readonly target: string;
  readonly isOpen: boolean;
}

const OPEN: GaugeDefinition = { name: 'ftm_sample_open', help: '1 when a sample is open', labels: ['target'] };

export const sample: RoundSource<'sample', Sections, readonly SampleSeen[]> = {
  id: 'sample',
  runs: 'round',
  sections: { samples: list(hostPort(7)).describe('Hosts that a sample is taken of.') },
  metrics: {
    gauges: [OPEN],
    readings: (seen) => seen.map(({ target, isOpen }) => ({ gauge: OPEN, labels: { target }, value: isOpen ? 1 : 0 })),
  },
  targets: ({ samples }) => samples.map((host) => ({ probe: 'sample', target: authority(host) })),
  observe: ({ samples }, look) =>
    look.each(samples, async ({ host: address, port }) => {
      const target = authority({ host: address, port });
      try {
        const socket = await openSocket({ address, port, sourceAddress: null }, look.ctx.signal);
        socket.destroy();
        return { target, isOpen: true };
      } catch {
        return { target, isOpen: false };
      }
    }),
  runsIn: (seen) => ({
    paths: [],
    samples: seen.map(({ target, isOpen }) => ({
      probe: 'sample',
      target,
      durationMs: 1,
      failure: isOpen ? null : 'refused',
    })),
  }),
};
`;

/** And who adds a check that judges what it sees. */
const CHECK: ReadonlyMap<string, string> = new Map([
  [
    'causes.ts',
    `import type { CauseWords } from '../../engine/model.ts';

export const SAMPLE_CAUSES = {
  'sample-shut': {
    severity: 'warning',
    title: 'a sample is shut',
    short: 'sample is shut',
    headline: 'the sample {subject} is shut',
    summary: 'The sample {subject} is shut.',
    impact: 'none',
    remedy: ['Open the sample.'],
  },
} satisfies Readonly<Record<string, CauseWords>>;

export type SampleCause = keyof typeof SAMPLE_CAUSES;
`,
  ],
  [
    'judge.ts',
    `import type { Finding } from '../../engine/model.ts';
import type { SampleSeen } from '../../sources/sample/source.ts';
import type { Declaration } from '../check.ts';
import { judged } from '../judgement.ts';
import { SAMPLE_CAUSES, type SampleCause } from './causes.ts';

export const sample: Declaration<'sample', SampleCause> = {
  id: 'sample',
  title: 'Sample',
  dependsOn: [],
  causes: SAMPLE_CAUSES,
  unknownRemedy: 'Give it a sample.',
  place: { kind: 'branch', name: 'Sample place', hint: 'of a stranger' },
  step: 'code',
  from: 'round',
  judge: ({ round }) => judged(round.sample.filter(({ isOpen }) => !isOpen).map(shut), 'Every sample is open'),
};

function shut({ target: subject }: SampleSeen): Finding<SampleCause> {
  const told = { rule: 'sample-open', subject, claim: 'It is shut.', expected: 'Open', actual: 'Shut' };
  return { ...told, level: 'warning', suggests: 'sample-shut' };
}
`,
  ],
]);

describe('a source and its check are a folder and a line each', () => {
  let tree: CopiedTree;
  let main = '';
  let target = '';
  const run = (command: string, args: readonly string[]): string =>
    execFileSync(command, args, { cwd: tree.root, encoding: 'utf8' });
  const read = (path: string): string => readFileSync(join(tree.root, path), 'utf8');

  beforeAll(async () => {
    tree = copiedTree();
    main = join(tree.root, 'src/main.ts');
    tree.write('src/sources/sample/source.ts', SOURCE);
    tree.replace('src/sources/registry.ts', 'firewall, peers] as const', 'firewall, peers, sample] as const');
    tree.replace(
      'src/sources/registry.ts',
      'import type { RoundLook, RoundSource }',
      "import { sample } from './sample/source.ts';\nimport type { RoundLook, RoundSource }",
    );
    for (const [name, text] of CHECK) tree.write(`src/checks/sample/${name}`, text);
    tree.replace('src/checks/registry.ts', '  clock,\n]', '  sample,\n  clock,\n]');
    tree.replace(
      'src/checks/registry.ts',
      'import { tlsGenuine }',
      "import { sample } from './sample/judge.ts';\nimport { tlsGenuine }",
    );
    // Nothing that is asked answers, and nothing beyond this machine is asked.
    target = `127.0.0.1:${String(await freePort())}`;
    const config = {
      licenseServer: { host: '127.0.0.1', port: 1 },
      controlHosts: [],
      resolvers: ['udp://127.0.0.1:1'],
      samples: [target],
      web: { listen: '127.0.0.1:0' },
      store: { path: 'state/history.db' },
    };
    tree.write('ftm-watch.yaml', JSON.stringify(config));
  });

  afterAll(() => {
    tree[Symbol.dispose]();
  });

  test('the types of the whole tree fit', { timeout: COMPILING }, () => {
    const { stdout, status } = spawnSync('node_modules/.bin/tsc', ['-p', '.'], { cwd: tree.root, encoding: 'utf8' });
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });

  test('the configuration has its section, in the schema, in the reference and printed', async () => {
    const cli = (...args: readonly string[]) => runFtmWatch(args, { cwd: tree.root, main });
    expect(JSON.parse((await cli('config', 'schema')).stdout)).toHaveProperty(
      'properties.samples.description',
      'Hosts that a sample is taken of.',
    );
    expect((await cli('config', 'print', '-c', 'ftm-watch.yaml')).stdout).toContain(`samples:\n  - ${target}\n`);
    run(process.execPath, ['deploy/generate/run.ts']);
    expect(read('docs/configuration.md')).toContain('Hosts that a sample is taken of.');
    expect(read('docs/runbooks/sample-shut.md')).toContain('1. Open the sample.');
  });

  test('"check --json" judges what it saw', async () => {
    const { stdout } = await runFtmWatch(['check', '--json', '-c', 'ftm-watch.yaml'], { cwd: tree.root, main });
    const { preconditions, causes } = JSON.parse(stdout) as DiagnosisJson;
    expect(preconditions.find(({ id }) => id === 'sample')).toMatchObject({ state: 'warning' });
    expect(causes).toContainEqual(
      expect.objectContaining({ id: 'sample-shut', precondition: 'sample', summary: `The sample ${target} is shut.` }),
    );
  });

  test('its series are there from the start, its gauge from the first round on, and it is on the route map', async () => {
    await using daemon = await startDaemon('ftm-watch.yaml', tree.root, main);
    const metrics = (): Promise<string> => daemon.get('/metrics').then((answer) => answer.text());
    const atFirst = await metrics();
    expect(atFirst).toContain(`ftm_probe_failures_total{probe="sample",target="${target}",reason="timeout"} 0\n`);
    expect(atFirst).toContain('ftm_cause_active{cause="sample-shut",severity="warning"} 0\n');
    await daemon.diagnosis(() => true, AbortSignal.timeout(30_000));
    const afterRound = await metrics();
    expect(afterRound).toContain(`ftm_sample_open{target="${target}"} 0\n`);
    expect(afterRound).toMatch(new RegExp(`^ftm_probe_runs_total\\{probe="sample",target="${target}"\\} [1-9]`, 'mu'));
    const page = await daemon.get('/').then((answer) => answer.text());
    expect(page).toContain('Sample place');
    expect(page).toContain('<li id="sample"');
  });
});
