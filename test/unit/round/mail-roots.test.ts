import { beforeAll, expect, it } from 'vitest';
import type { Certificate } from '../../../src/core/certificate.ts';
import { loadMailRoots, mailTlsOf } from '../../../src/round/mail-roots.ts';
import { parseCertificate } from '../../../src/tls/parse-certificate.ts';
import { createSignatureChecks } from '../../../src/tls/chain.ts';
import type { BackgroundFile } from '../../../src/system/json-file.ts';
import { createHierarchy } from '../../support/certificates/hierarchy.ts';
import { createIdentity, type Identity } from '../../../src/demo/lab/identity.ts';
import { certificateOf, publicRootsOf } from '../../support/certificates/chains.ts';
import { configOf } from '../../support/config/config-of.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { DAY } from '../../support/time/units.ts';

const START = Date.UTC(2026, 11, 1);

const roots = new Map<string, Certificate>();

beforeAll(async () => {
  const keys = (await createIdentity({ name: 'CN=A', authority: true })).keys;
  for (const [name, own] of [
    ['A', { keys }],
    ['A renewed', { keys }],
    ['B', {}],
    ['C', {}],
  ] as const)
    roots.set(name, certificateOf(await createIdentity({ name: `CN=${name}`, authority: true, ...own })));
});

function nameOf({ subject }: Certificate): string {
  return subject.attributes[0]?.value ?? '';
}

/**
 * Each look has a day, the root, and after a colon the news. `-` stands for a round in which the certificate was not
 * verified.
 */
it.each([
  ['the first root is not news', '0 A, 29 A'],
  ['a new root is news for a week', '0 A, 1 B: B after A, 7.9 B: B after A, 8 B'],
  ['even while the server fails or uses the former root', '0 A, 1 B: B after A, 2 -: B after A, 3 A: B after A'],
  ['two roots may alternate', '0 A, 1 B: B after A, 9 A, 30 B, 50 A'],
  ['a renewed root with the same key is not new', '0 A, 1 A renewed'],
  ['a root that was not used for 30 days is new', '0 A, 1 B: B after A, 20 B, 31 B, 32 A: A after B'],
  ['an interruption changes nothing', '0 A, 90 A, 91 B: B after A'],
  ['a change during an interruption is news', '0 A, 90 B: B after A, 91 C: C after B; B after A'],
])('%s, before and after a restart', async (_, looks) => {
  const clock = handClock(START);
  let kept: unknown = null;
  const file: BackgroundFile = {
    load: () => Promise.resolve(JSON.parse(JSON.stringify(kept))),
    save: (value) => {
      kept = value;
    },
  };
  const running = await loadMailRoots(null, clock);
  for (const look of looks.split(', ')) {
    const [, day = '', name = '', told = ''] = /^(\S+) ([^:]+)(?:: (.*))?$/u.exec(look) ?? [];
    clock.step(START + Number(day) * DAY - clock.now());
    const restarted = await loadMailRoots(file, clock);
    for (const memory of [running, restarted]) {
      const news = memory.note('mail.example.test:25', roots.get(name) ?? null);
      expect(news.map(({ root, former }) => `${nameOf(root)} after ${former.map(nameOf).join(', ')}`).join('; ')).toBe(
        told,
      );
    }
    expect(running.note('other.example.test:25', null)).toEqual([]);
  }
});

it('starts anew if the file is damaged', async () => {
  const file: BackgroundFile = {
    load: () => Promise.resolve({ version: 1, servers: { x: [{ root: 'AAAA', former: [], since: 1, lastSeen: 1 }] } }),
    save: () => undefined,
  };
  const memory = await loadMailRoots(file, handClock(START));
  expect(memory.note('x', roots.get('A') ?? null)).toEqual([]);
});

it('finds the root itself, whether it was sent, left out, or signed by another authority', async () => {
  const { root, intermediate, leaf } = await createHierarchy();
  const other = await createIdentity({ name: 'CN=Other', authority: true });
  const crossed = await createIdentity({ name: root.name, keys: root.keys, issuer: other, authority: true });
  const [server] = (await configOf('mail: [{ host: license.example.test }]')).mail;
  if (server === undefined) throw new Error('Expected a mail server');
  const bench = {
    endpoint: { parse: parseCertificate },
    knowledge: {
      ofAny: () => ({
        trust: { pins: [], anchors: [], publicRoots: publicRootsOf(root) },
        checks: createSignatureChecks(),
      }),
    },
  };
  const rootOf = (...sent: readonly Identity[]): string | undefined =>
    mailTlsOf({ ders: sent.map(({ der }) => der), isVerified: true }, server, bench, Date.now())?.root?.fingerprint;
  expect(rootOf(leaf, intermediate, root)).toBe(root.fingerprint);
  expect(rootOf(leaf, intermediate)).toBe(root.fingerprint);
  expect(rootOf(leaf, intermediate, crossed)).toBe(root.fingerprint);
  expect(rootOf(leaf, intermediate, crossed, other)).toBe(root.fingerprint);
  expect(rootOf(leaf)).toBe(undefined);
  expect(rootOf(leaf, root)).toBe(undefined);
});
