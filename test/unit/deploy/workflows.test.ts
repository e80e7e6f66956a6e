import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import packageJson from '../../../package.json' with { type: 'json' };
import { artefactsOf } from '../../../tools/package/artefacts.ts';

const texts = z.record(z.string(), z.string());
const step = z.strictObject({
  id: z.string().optional(),
  uses: z.string().optional(),
  run: z.string().optional(),
  with: z.record(z.string(), z.union([z.string(), z.boolean()])).optional(),
  env: texts.optional(),
  'working-directory': z.string().optional(),
});
const job = z.looseObject({
  permissions: texts.optional(),
  needs: z.union([z.string(), z.array(z.string())]).optional(),
  outputs: texts.optional(),
  'timeout-minutes': z.number(),
  steps: z.array(step),
});
const workflow = z.object({ permissions: texts, jobs: z.record(z.string(), job) });
type Job = z.infer<typeof job>;

const FILES = globSync('.github/workflows/*');
const RELEASE = '.github/workflows/release.yml';

function jobsOf(file: string): readonly (readonly [string, Job])[] {
  return Object.entries(workflow.parse(parse(readFileSync(file, 'utf8'))).jobs);
}

function commandsOf(file: string): readonly string[] {
  return jobsOf(file).flatMap(([, { steps }]) => steps.flatMap(({ run }) => run ?? []));
}

test('the workflows use the same commit of an action everywhere, beside the version that it had', () => {
  const uses = FILES.flatMap((file) => readFileSync(file, 'utf8').match(/(?<=\buses: ).*/gu) ?? []);
  expect(uses.length).toBeGreaterThan(8);
  expect(uses.filter((one) => !/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/u.test(one))).toEqual([]);
  expect(new Set(uses).size).toBe(new Set(uses.map((one) => one.split('@')[0])).size);
});

describe.each(FILES)('%s', (file) => {
  test('names npm scripts and files that there are', () => {
    const words = commandsOf(file).join('\n');
    const scripts = [...words.matchAll(/npm run (?:--silent )?(\S+)/gu)].map(([, script]) => script);
    expect(scripts.filter((script) => !Object.keys(packageJson.scripts).includes(script ?? ''))).toEqual([]);
    const paths = words.match(/(?:tools|\.ci)\/[\w./-]+/gu) ?? [];
    expect(paths).not.toEqual([]);
    expect(paths.filter((path) => !existsSync(path))).toEqual([]);
  });

  test('has commands that the shell can read', () => {
    for (const command of commandsOf(file)) {
      const readable = command.replaceAll(/\$\{\{.*?\}\}/gu, 'text');
      expect(spawnSync('bash', ['-n'], { input: readable, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
    }
  });
});

describe('a release', () => {
  const jobs = new Map(jobsOf(RELEASE));

  test('gives each job only the rights that it needs, and none for signing to one that runs the code of others', () => {
    expect(workflow.parse(parse(readFileSync(RELEASE, 'utf8'))).permissions).toEqual({});
    expect(Object.fromEntries([...jobs].map(([name, { permissions }]) => [name, permissions]))).toEqual({
      files: { contents: 'read' },
      image: { packages: 'write', 'id-token': 'write', attestations: 'write' },
      publish: { contents: 'write', 'id-token': 'write', attestations: 'write' },
    });
    const signing = [...jobs.values()].filter(({ permissions }) => permissions?.['id-token'] !== undefined);
    const commands = signing.flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []));
    expect(commands.filter((command) => /\b(?:npm|npx|node) /u.test(command))).toEqual([]);
    expect(signing.flatMap(({ steps }) => steps).filter(({ uses }) => uses?.startsWith('actions/checkout@'))).toEqual(
      [],
    );
  });

  test('lets no name of a tag or repository become a command', () => {
    expect(commandsOf(RELEASE).filter((command) => command.includes('${{'))).toEqual([]);
  });

  test('signs and attests the image by its digest, and the checksums of all files', () => {
    const used = (name: string): readonly (readonly string[])[] =>
      (jobs.get(name)?.steps ?? [])
        .filter(({ uses }) => uses?.startsWith('actions/attest@'))
        .map((attest) => Object.keys(attest.with ?? {}));
    const image = ['subject-name', 'subject-digest', 'push-to-registry', 'create-storage-record'];
    expect(used('image')).toEqual([image, expect.arrayContaining([...image, 'sbom-path'])]);
    expect(used('publish')).toEqual([['subject-checksums'], ['subject-checksums', 'sbom-path']]);
    const commands = commandsOf(RELEASE).join('\n');
    expect(commands).toContain('--platform linux/amd64,linux/arm64');
    expect(commands).toMatch(/^cosign sign --yes /mu);
    expect(commands).toMatch(/^cosign sign-blob --yes --bundle \S+ files\/SHA256SUMS$/mu);
  });

  test('takes files that `npm run package` writes, and outputs of jobs that it waits for', () => {
    const names = artefactsOf({ root: '.', version: '$version', date: 0, maintainer: '', dist: '' }, []).map(
      ({ name }) => name,
    );
    const taken = commandsOf(RELEASE)
      .join('\n')
      .match(/(?<=files\/)ftm-watch[\w.$-]+/gu);
    expect(taken).not.toEqual(null);
    expect(taken?.filter((name) => !names.includes(name))).toEqual([]);
    for (const { needs = [], steps } of jobs.values()) {
      const references = JSON.stringify(steps).matchAll(/needs\.(?<from>\w+)\.outputs\.(?<output>\w+)/gu);
      for (const { groups } of references) {
        expect([needs].flat()).toContain(groups?.['from']);
        expect(Object.keys(jobs.get(groups?.['from'] ?? '')?.outputs ?? {})).toContain(groups?.['output']);
      }
    }
  });
});
