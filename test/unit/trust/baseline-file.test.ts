import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Baseline } from '../../../src/tls/trust.ts';
import { readBaselines, writeBaseline } from '../../../src/trust/load-trust.ts';
import { createHierarchy } from '../../support/certificates/hierarchy.ts';
import { certificateOf } from '../../support/certificates/chains.ts';

const { root, intermediate, leaf } = await createHierarchy();
const baseline: Baseline = {
  target: 'license.example.test:443',
  learnedAt: Date.UTC(2026, 10, 24, 13),
  leaves: [certificateOf(leaf)],
  authorities: [intermediate, root].map(certificateOf),
  protocol: 'TLSv1.3',
  accepted: [certificateOf(root).fingerprint],
};

const state = { folder: '' };
beforeAll(async () => {
  state.folder = await mkdtemp(join(tmpdir(), 'ftm-watch-baseline-'));
});
afterAll(() => rm(state.folder, { recursive: true }));

describe('writeBaseline()', () => {
  test('writes what readBaselines() reads, into a folder that it makes', async () => {
    const file = join(state.folder, 'new', 'trust.json');
    await writeBaseline(file, baseline);
    expect(await readBaselines(file)).toEqual(new Map([[baseline.target, baseline]]));
  });

  test('keeps other targets and replaces its own', async () => {
    const file = join(state.folder, 'trust.json');
    await writeBaseline(file, baseline);
    await writeBaseline(file, { ...baseline, target: 'push.example.test:443' });
    await writeBaseline(file, { ...baseline, protocol: null });
    const all = await readBaselines(file);
    expect([...all.keys()].toSorted()).toEqual(['license.example.test:443', 'push.example.test:443']);
    expect(all.get(baseline.target)?.protocol).toBeNull();
  });

  test('leaves nothing beside the file', async () => {
    const file = join(state.folder, 'alone', 'trust.json');
    await writeBaseline(file, baseline);
    expect(await readdir(join(state.folder, 'alone'))).toEqual(['trust.json']);
  });

  test('says what cannot be written, and leaves an unreadable file alone', async () => {
    await writeFile(join(state.folder, 'plain'), 'x');
    await expect(writeBaseline(join(state.folder, 'plain', 'trust.json'), baseline)).rejects.toThrow(
      'the learned trust',
    );
    const broken = join(state.folder, 'broken.json');
    await writeFile(broken, '{');
    await expect(writeBaseline(broken, baseline)).rejects.toThrow('Cannot parse the learned trust');
    expect(await readFile(broken, 'utf8')).toBe('{');
  });
});

describe('readBaselines()', () => {
  test('holds nothing where there is no file', async () => {
    expect(await readBaselines(join(state.folder, 'none.json'))).toEqual(new Map());
  });

  test.each([
    ['{', 'Cannot parse the learned trust'],
    ['{"version":2,"targets":{}}', 'version'],
    [
      '{"version":1,"targets":{"a:1":{"learnedAt":"yesterday","protocol":null,"leaves":[],"authorities":[]}}}',
      'targets.a:1.learnedAt',
    ],
    [
      '{"version":1,"targets":{"a:1":{"learnedAt":"2026-11-24T13:00:00.000Z","protocol":null,"leaves":["x"],' +
        '"authorities":[]}}}',
      'expected exactly one certificate in PEM format',
    ],
  ])('refuses %s', async (content, message) => {
    const file = join(state.folder, 'bad.json');
    await writeFile(file, content);
    await expect(readBaselines(file)).rejects.toThrow(message);
  });
});
