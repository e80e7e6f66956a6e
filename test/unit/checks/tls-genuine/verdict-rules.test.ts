import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { decide, HYPOTHESES } from '../../../../src/checks/tls-genuine/hypotheses.ts';

type VerdictFacts = Parameters<typeof decide>[0];

const documentation = readFileSync(new URL('../../../../docs/internals/interception.md', import.meta.url), 'utf8');
const GENUINE: VerdictFacts = {
  chainTrust: 'trusted',
  accepted: true,
  claim: 'vendor',
  identity: 'named',
  dates: 'valid',
  baselineMatch: 'none',
  gap: false,
  profile: 'fortinet',
  flaw: 'none',
  trusting: true,
  ended: 'handshake',
  witnessed: false,
  contradicted: false,
  hinted: false,
};
const PUBLIC: VerdictFacts = { ...GENUINE, chainTrust: 'public', accepted: false, claim: 'public' };
const STRANGER: VerdictFacts = { ...GENUINE, chainTrust: 'incomplete', accepted: false, claim: 'other' };
const VENDOR: VerdictFacts = { ...STRANGER, claim: 'vendor' };
const UNSENT: VerdictFacts = { ...STRANGER, claim: 'public' };

describe('decide()', () => {
  test.each<{ readonly id: string; readonly facts: VerdictFacts }>([
    { id: 'genuine', facts: GENUINE },
    { id: 'genuine', facts: { ...GENUINE, witnessed: true, contradicted: true, hinted: true } },
    { id: 'own-clock', facts: { ...GENUINE, dates: 'clock' } },
    { id: 'device', facts: { ...GENUINE, identity: 'device' } },
    { id: 'device', facts: { ...GENUINE, identity: 'device', hinted: true } },
    { id: 'device-and-more', facts: { ...GENUINE, identity: 'device', witnessed: true } },
    { id: 'device', facts: { ...GENUINE, identity: 'device', dates: 'expired' } },
    { id: 'dates', facts: { ...GENUINE, dates: 'expired', identity: 'other' } },
    { id: 'dates', facts: { ...GENUINE, dates: 'not-yet-valid' } },
    { id: 'misnamed', facts: { ...GENUINE, identity: 'other' } },
    { id: 'misnamed', facts: { ...GENUINE, identity: 'other', hinted: true } },
    { id: 'misnamed-and-more', facts: { ...GENUINE, identity: 'other', witnessed: true } },
    { id: 'genuine', facts: { ...GENUINE, gap: true } },
    { id: 'genuine', facts: { ...GENUINE, profile: 'public' } },
    { id: 'genuine', facts: { ...GENUINE, identity: 'known-subject' } },
    { id: 'gap', facts: { ...GENUINE, gap: true, profile: 'public' } },
    { id: 'cut', facts: { ...GENUINE, ended: 'cut' } },
    { id: 'genuine', facts: { ...GENUINE, ended: 'alert' } },
    { id: 'flaw', facts: { ...GENUINE, flaw: 'old' } },
    { id: 'new-flaw', facts: { ...GENUINE, flaw: 'new' } },
    { id: 'new-flaw', facts: { ...GENUINE, flaw: 'new', baselineMatch: 'other-authority' } },
    { id: 'cut', facts: { ...GENUINE, flaw: 'new', ended: 'cut' } },
    { id: 'dates', facts: { ...GENUINE, flaw: 'new', dates: 'expired' } },
    { id: 'other-authority', facts: { ...GENUINE, baselineMatch: 'other-authority' } },
    { id: 'genuine', facts: { ...GENUINE, baselineMatch: 'other-authority', identity: 'known-key' } },
    { id: 'renewed', facts: { ...GENUINE, baselineMatch: 'same-authority' } },
    { id: 'genuine', facts: { ...GENUINE, baselineMatch: 'same-authority', identity: 'known-key' } },
    { id: 'weak', facts: { ...STRANGER, chainTrust: 'weak' } },
    { id: 'weak', facts: { ...STRANGER, chainTrust: 'weak', hinted: true } },
    { id: 'witnessed', facts: { ...STRANGER, chainTrust: 'weak', witnessed: true } },
    { id: 'elsewhere-public', facts: PUBLIC },
    { id: 'elsewhere-vendor', facts: { ...PUBLIC, chainTrust: 'vendor', claim: 'vendor' } },
    { id: 'elsewhere-public', facts: { ...PUBLIC, witnessed: true } },
    { id: 'elsewhere-public', facts: { ...PUBLIC, hinted: true } },
    { id: 'elsewhere-public', facts: { ...PUBLIC, identity: 'known-key' } },
    { id: 'elsewhere-contradicted', facts: { ...PUBLIC, contradicted: true, witnessed: true } },
    { id: 'elsewhere-contradicted', facts: { ...PUBLIC, contradicted: true, witnessed: true, dates: 'clock' } },
    { id: 'elsewhere-own-clock', facts: { ...PUBLIC, dates: 'clock' } },
    { id: 'elsewhere-dates', facts: { ...PUBLIC, dates: 'expired' } },
    { id: 'elsewhere-dates', facts: { ...PUBLIC, dates: 'not-yet-valid' } },
    { id: 'elsewhere-cut', facts: { ...PUBLIC, ended: 'cut' } },
    { id: 'untrusted-other-name', facts: { ...PUBLIC, identity: 'other' } },
    { id: 'untrusted-device', facts: { ...PUBLIC, chainTrust: 'vendor', claim: 'vendor', identity: 'device' } },
    { id: 'witnessed', facts: { ...PUBLIC, identity: 'other', witnessed: true } },
    { id: 'unverified', facts: STRANGER },
    { id: 'unverified', facts: { ...STRANGER, hinted: true, dates: 'expired', ended: 'cut' } },
    { id: 'unverified', facts: { ...STRANGER, chainTrust: 'foreign' } },
    { id: 'unverified', facts: { ...STRANGER, chainTrust: 'foreign', dates: 'clock' } },
    { id: 'unverified', facts: { ...UNSENT, chainTrust: 'foreign' } },
    { id: 'unverified', facts: { ...VENDOR, chainTrust: 'forged' } },
    { id: 'unverified', facts: { ...STRANGER, profile: 'pinned' } },
    { id: 'unverified', facts: { ...STRANGER, profile: 'public' } },
    { id: 'unfinished', facts: { ...STRANGER, chainTrust: 'unfinished' } },
    { id: 'unfinished', facts: { ...VENDOR, chainTrust: 'unfinished', hinted: true, identity: 'other' } },
    { id: 'witnessed', facts: { ...STRANGER, chainTrust: 'unfinished', witnessed: true } },
    { id: 'untrusting', facts: { ...STRANGER, profile: 'pinned', trusting: false } },
    { id: 'untrusting', facts: { ...VENDOR, profile: 'pinned', trusting: false, hinted: true, identity: 'other' } },
    { id: 'witnessed', facts: { ...STRANGER, profile: 'pinned', trusting: false, witnessed: true } },
    { id: 'witnessed', facts: { ...STRANGER, witnessed: true } },
    { id: 'witnessed', facts: { ...VENDOR, witnessed: true, dates: 'expired' } },
    { id: 'witnessed', facts: { ...UNSENT, witnessed: true } },
    { id: 'untrusted-other-name', facts: { ...STRANGER, identity: 'other' } },
    { id: 'untrusted-other-name', facts: { ...UNSENT, identity: 'other' } },
    { id: 'untrusted-device', facts: { ...VENDOR, identity: 'device' } },
    { id: 'untrusted-other-name', facts: { ...VENDOR, identity: 'other', profile: 'public' } },
    { id: 'new-vendor-authority', facts: VENDOR },
    { id: 'new-vendor-authority', facts: { ...VENDOR, chainTrust: 'foreign' } },
    { id: 'new-vendor-authority', facts: { ...VENDOR, identity: 'other' } },
    {
      id: 'new-vendor-authority',
      facts: { ...VENDOR, identity: 'known-subject', ended: 'alert', baselineMatch: 'other-authority' },
    },
    { id: 'new-vendor-authority', facts: { ...VENDOR, profile: 'public' } },
    { id: 'claimed-own-clock', facts: { ...VENDOR, dates: 'clock' } },
    { id: 'claimed-own-clock', facts: { ...UNSENT, dates: 'clock' } },
    { id: 'claimed-dates', facts: { ...VENDOR, dates: 'expired' } },
    { id: 'claimed-dates', facts: { ...UNSENT, dates: 'not-yet-valid' } },
    { id: 'claimed-cut', facts: { ...VENDOR, ended: 'cut' } },
    { id: 'claimed-hint', facts: { ...VENDOR, hinted: true } },
    { id: 'claimed-hint', facts: { ...UNSENT, hinted: true } },
    { id: 'public-incomplete', facts: UNSENT },
    { id: 'public-incomplete', facts: { ...UNSENT, profile: 'public', ended: 'alert' } },
  ])('takes the row $id', ({ id, facts }) => {
    expect(decide(facts).id).toBe(id);
  });

  test('confirms an interception only where there is a witness, and no suspicion at all', () => {
    const confirmed = HYPOTHESES.filter(({ confidence }) => confidence === 'confirmed');
    expect(confirmed.filter(({ verdict }) => verdict === 'intercepted').map(({ id }) => id)).toEqual([
      'device-and-more',
      'witnessed',
    ]);
    expect(confirmed.map(({ verdict }) => verdict)).not.toContain('interception-suspected');
    expect(confirmed.map(({ verdict }) => verdict)).not.toContain('unknown');
  });
});

const FOLDER = new URL('../../../../src/checks/tls-genuine/', import.meta.url);
const SOURCES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(new URL(name, FOLDER), 'utf8'))
  .join('\n');

describe('docs/internals/interception.md', () => {
  test.each(
    [...documentation.matchAll(/^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \| (?:base|witness|hint|weak|for)/gmu)].flatMap(
      ([, names = '']) => [...names.matchAll(/`([a-z-]+)`/gu)].map(([, name = '']) => name),
    ),
  )('tells of a finding that exists: %s', (rule) => {
    expect(SOURCES).toContain(`'${rule}'`);
  });
});
