import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Baseline } from '../../../src/tls/trust.ts';
import { readLearnedTrust, writeBaseline, writePinnedCertificate } from '../../../src/trust/load-trust.ts';
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
  test('writes what readLearnedTrust() reads, into a folder that it makes', async () => {
    const file = join(state.folder, 'new', 'trust.json');
    await writeBaseline(file, baseline);
    expect((await readLearnedTrust(file)).baselines).toEqual(new Map([[baseline.target, baseline]]));
  });

  test('keeps other targets and replaces its own', async () => {
    const file = join(state.folder, 'trust.json');
    await writeBaseline(file, baseline);
    await writeBaseline(file, { ...baseline, target: 'push.example.test:443' });
    await writeBaseline(file, { ...baseline, protocol: null });
    const all = (await readLearnedTrust(file)).baselines;
    expect([...all.keys()].toSorted()).toEqual(['license.example.test:443', 'push.example.test:443']);
    expect(all.get(baseline.target)?.protocol).toBeNull();
  });

  test('keeps certificates that other networks receive as well, and they keep it', async () => {
    const file = join(state.folder, 'pinned.json');
    const pinned = { fingerprint: 'AA:BB', learnedAt: Date.parse('2026-12-01'), seenBy: '5 other networks (DE)' };
    await writePinnedCertificate(file, 'license.example.test:443', pinned);
    await writeBaseline(file, baseline);
    await writePinnedCertificate(file, 'push.example.test:443', pinned);
    const { baselines, certificates } = await readLearnedTrust(file);
    expect(baselines).toEqual(new Map([[baseline.target, baseline]]));
    expect(Object.fromEntries(certificates)).toEqual({
      'license.example.test:443': pinned,
      'push.example.test:443': pinned,
    });
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

describe('readLearnedTrust()', () => {
  test('holds nothing where there is no file', async () => {
    expect((await readLearnedTrust(join(state.folder, 'none.json'))).baselines).toEqual(new Map());
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
    await expect(readLearnedTrust(file)).rejects.toThrow(message);
  });
});
