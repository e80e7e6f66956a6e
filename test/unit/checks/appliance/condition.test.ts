import { describe, expect, test } from 'vitest';
import { memoryBeside } from '../../../../src/checks/appliance/judge.ts';
import { confirmedClock } from '../../../../src/checks/clock/judge.ts';
import type { ClockEstimate, OwnClock } from '../../../../src/core/observation.ts';
import type { ApplianceClock } from '../../../../src/core/license/appliance.ts';
import { factsAbout, outageWarning } from '../../../../src/core/license/firmware.ts';
import type { Finding } from '../../../../src/engine/model.ts';
import { loadFirmwareFacts } from '../../../../src/connectors/firmware-facts.ts';
import { applianceFacts } from '../../../support/checks/appliance-facts.ts';
import { judgeAppliance } from '../../../support/checks/judged-appliance.ts';

const shipped = await loadFirmwareFacts([]);
const about = (version: string) => factsAbout(`FACVMKVM v${version}, build0099 (GA)`, shipped);

const EXPECTED = {
  unit: { name: 'fac-1', serial: 'FAC-A', peerSerial: null, licenses: [] },
  licenseServer: { host: 'fortitokenmobile.fortinet.com', port: 443 },
};

const clockOf = (offsetMs: number, more: Partial<ApplianceClock> = {}): ApplianceClock => ({
  offsetMs,
  precisionMs: 600,
  answers: 6,
  clockBase: 1000,
  ...more,
});
const own = (estimate: Partial<ClockEstimate> = {}): OwnClock => ({
  estimate: { offsetMs: 0, precisionMs: 20, supporters: ['ntp.test:123'], trusted: true, ...estimate },
  clockBase: 1000,
});

function clockFindings(clock: ApplianceClock | null, ownClock: OwnClock | null): readonly Finding[] {
  return judgeAppliance(applianceFacts({ clock }), EXPECTED, { role: null, logSpeaks: false, ownClock });
}

describe('the clock of a unit', () => {
  test.each([
    { name: 'agrees', clock: clockOf(0), ownClock: own(), expected: [] },
    { name: '19 s ahead', clock: clockOf(19_000), ownClock: own(), expected: [] },
    { name: '21 s ahead', clock: clockOf(21_000), ownClock: own(), expected: ['warning 21 s ahead undefined'] },
    { name: '21 s behind', clock: clockOf(-21_000), ownClock: own(), expected: ['warning 21 s behind undefined'] },
    { name: '59 s', clock: clockOf(59_000), ownClock: own(), expected: ['warning 59 s ahead undefined'] },
    { name: '61 s', clock: clockOf(-61_000), ownClock: own(), expected: ['warning 1 min 1 s behind codes-rejected'] },
    {
      name: 'slow answers prove less',
      clock: clockOf(23_000, { precisionMs: 5000 }),
      ownClock: own(),
      expected: [],
    },
    {
      name: 'our own clock is the wrong one',
      clock: clockOf(100_000),
      ownClock: own({ offsetMs: 100_000 }),
      expected: [],
    },
    {
      name: 'agrees with a wrong clock of ours',
      clock: clockOf(0),
      ownClock: own({ offsetMs: 30_000 }),
      expected: ['warning 30 s behind undefined'],
    },
    { name: 'our clock was set meanwhile', clock: clockOf(90_000, { clockBase: 9000 }), ownClock: own(), expected: [] },
    {
      name: 'one HTTP answer does not confirm our clock',
      clock: clockOf(90_000),
      ownClock: own({ trusted: false }),
      expected: ['note 1 min 30 s ahead'],
    },
    { name: 'nothing confirms it', clock: clockOf(90_000), ownClock: null, expected: ['note 1 min 30 s ahead'] },
    { name: 'nor when it agrees', clock: clockOf(1000), ownClock: null, expected: [] },
  ])('$name', ({ clock, ownClock, expected }) => {
    const told = clockFindings(clock, ownClock).map(({ level, suggests, facts, kind, claim }) =>
      suggests === null
        ? `${level} ${/is (.*), compared with this machine's clock, which is not confirmed\.$/u.exec(claim)?.[1] ?? claim}`
        : `${level} ${facts?.found ?? ''} ${String(kind)}`,
    );
    expect(told).toEqual(expected);
  });

  test('is compared with what was confirmed before, while no time source answers', () => {
    const unconfirmed: OwnClock = { estimate: null, clockBase: 1000 };
    const set: OwnClock = { estimate: null, clockBase: 9000 };
    expect(confirmedClock(unconfirmed, own())).toEqual(own());
    expect(confirmedClock(null, own())).toEqual(own());
    expect(confirmedClock(set, own())).toBe(set);
    expect(confirmedClock(own({ offsetMs: 5 }), own())).toEqual(own({ offsetMs: 5 }));
    expect(confirmedClock(unconfirmed, null)).toBe(unconfirmed);
    expect(clockFindings(clockOf(25_000), confirmedClock(unconfirmed, own()))).toMatchObject([{ level: 'warning' }]);
  });

  test('is not judged where too few answers told it', () => {
    expect(clockFindings(null, own())).toEqual([]);
  });
});

describe('the firmware of a unit', () => {
  test.each([
    // Versions below, in and above each range.
    { version: '6.2.9', ids: ['restart-in-outage'] },
    { version: '6.3.0', ids: ['restart-in-outage', 'FG-IR-25-528'] },
    { version: '6.4.9', ids: ['restart-in-outage', 'FG-IR-25-528', 'CVE-2025-53379'] },
    { version: '6.4.10', ids: ['FG-IR-25-528', 'CVE-2025-53379'] },
    { version: '6.5.0', ids: ['restart-in-outage', 'FG-IR-26-128', 'FG-IR-25-528', 'CVE-2025-53379', 'memory-4-gb'] },
    { version: '6.5.4', ids: ['restart-in-outage', 'FG-IR-26-128', 'FG-IR-25-528', 'CVE-2025-53379', 'memory-4-gb'] },
    { version: '6.5.5', ids: ['FG-IR-26-128', 'FG-IR-25-528', 'CVE-2025-53379', 'memory-4-gb'] },
    { version: '6.5.6', ids: ['FG-IR-26-128', 'FG-IR-25-528', 'CVE-2025-53379', 'memory-4-gb'] },
    { version: '6.5.7', ids: ['FG-IR-25-528', 'CVE-2025-53379', 'memory-4-gb'] },
    {
      version: '6.6.0',
      ids: ['restart-in-outage', 'FG-IR-26-128', 'FG-IR-25-528', 'CVE-2026-126238', 'CVE-2025-53379', 'memory-4-gb'],
    },
    { version: '6.6.1', ids: ['FG-IR-26-128', 'FG-IR-25-528', 'CVE-2026-126238', 'CVE-2025-53379', 'memory-4-gb'] },
    {
      version: '6.6.2',
      ids: ['FG-IR-26-128', 'FG-IR-25-528', 'CVE-2026-126238', 'CVE-2025-53379', 'memory-4-gb', 'sha1-unsupported'],
    },
    { version: '6.6.6', ids: ['FG-IR-26-128', 'FG-IR-25-528', 'CVE-2026-126238', 'memory-4-gb', 'sha1-unsupported'] },
    { version: '6.6.7', ids: ['FG-IR-26-128', 'CVE-2026-126238', 'memory-4-gb', 'sha1-unsupported'] },
    { version: '6.6.8', ids: ['FG-IR-26-128', 'CVE-2026-126238', 'memory-4-gb', 'sha1-unsupported'] },
    { version: '6.6.9', ids: ['CVE-2026-126238', 'memory-4-gb', 'sha1-unsupported'] },
    { version: '8.0.0', ids: ['FG-IR-26-128', 'CVE-2026-126238', 'memory-4-gb', 'sha1-unsupported'] },
    { version: '8.0.1', ids: ['FG-IR-26-128?', 'CVE-2026-126238', 'memory-4-gb', 'sha1-unsupported'] },
    { version: '8.0.2', ids: ['FG-IR-26-128', 'CVE-2026-126238', 'memory-4-gb', 'sha1-unsupported'] },
    { version: '8.0.3', ids: ['CVE-2026-126238', 'memory-4-gb', 'sha1-unsupported'] },
  ])('$version', ({ version, ids }) => {
    expect(about(version).map(({ fact, isUncertain }) => `${fact.id}${isUncertain ? '?' : ''}`)).toEqual(ids);
  });

  test('says nothing without a version', () => {
    expect(factsAbout(null, shipped)).toEqual([]);
    expect(factsAbout('FortiAuthenticator', shipped)).toEqual([]);
  });

  function notes(version: string): readonly string[] {
    const views = { role: null, logSpeaks: false, known: about(version) };
    return judgeAppliance(applianceFacts(), EXPECTED, views).map(({ level, claim }) => `${level}: ${claim}`);
  }

  test('is a note at the unit, which says what to do, and which recommended versions are affected as well', () => {
    const claims = notes('6.6.8').join('\n');
    expect(claims).toContain('note: Firmware 6.6.8 lets anyone');
    expect(claims).toMatch(/upgrade to 6\.5\.7, 6\.6\.9 or 8\.0\.3.* other faults affect all of them\./u);
    expect(notes('8.0.1')[0]).toMatch(/^note: FG-IR-26-128 does not mention firmware 8\.0\.1/u);
    expect(notes('6.6.11')).toEqual([]);
    expect(notes('6.6.0')).toHaveLength(5);
  });

  test('no shipped advice recommends a version that another shipped fact lists, without saying so', () => {
    const affects = (text: string): readonly string[] =>
      about(text).flatMap(({ fact: { use, id } }) => (use === 'note' || use === 'outage' ? id : []));
    const all = ['6.2.0', '6.4.9', '6.5.0', '6.6.0', '6.6.8', '8.0.2'].flatMap(about);
    expect(new Set(all.map(({ fact }) => fact.id)).size).toBe(shipped.length);
    for (const { fact, recommended } of all)
      for (const [version] of fact.todo.matchAll(/\d+\.\d+(?:\.\d+)?/gu))
        expect(recommended.get(version)).toEqual(affects(version));
    expect(about('6.6.8')[0]?.recommended.get('6.6.9')).toEqual(['CVE-2026-126238']);
  });

  test('is reported as old after 180 days, without a warning', () => {
    const ages = (at: string): readonly string[] =>
      judgeAppliance(applianceFacts(), EXPECTED, {
        role: null,
        logSpeaks: false,
        known: [],
        factsAsOf: '2026-11-30',
        at,
      })
        .filter(({ rule }) => rule === 'firmware-facts-current')
        .map(({ level }) => level);
    expect([ages('2027-05-29'), ages('2027-05-31')]).toEqual([[], ['note']]);
  });

  test('warns of a restart during an outage', () => {
    const units = [
      { name: 'fac-1', known: about('6.5.4') },
      { name: 'fac-2', known: about('6.6.1') },
      { name: 'fac-3', known: about('6.6.0') },
    ];
    expect(outageWarning(units)).toBe(
      'Do not restart fac-1 (6.5.4), fac-3 (6.6.0): a restart while the FortiToken Mobile servers cannot be reached ' +
        'leaves tokens Pending and disables remote LDAP users (bug 988000).',
    );
    expect(outageWarning(units.filter(({ name }) => name === 'fac-2'))).toBeNull();
  });

  test.each([
    { name: 'SHA-1 by default', user: 'u', authProtocol: null, expected: 1 },
    { name: 'SHA-1', user: 'u', authProtocol: 'sha' as const, expected: 1 },
    { name: 'SHA-256', user: 'u', authProtocol: 'sha256' as const, expected: 0 },
    { name: 'a community', user: null, authProtocol: null, expected: 0 },
  ])('explains SNMP that fails: $name', ({ user, authProtocol, expected }) => {
    const snmp = {
      host: '10.0.0.5',
      port: 161,
      community: null,
      authPassword: null,
      privPassword: null,
      privProtocol: null,
      user,
      authProtocol,
    };
    const failing = {
      kind: 'failed',
      appliance: 'fac-1',
      reason: 'timeout',
      message: 'No answer',
      durationMs: 1,
    } as const;
    const of = (version: string): number =>
      judgeAppliance(applianceFacts(), EXPECTED, {
        role: failing,
        logSpeaks: false,
        known: about(version).filter(({ fact }) => fact.use === 'snmp-sha1'),
        snmp,
      }).filter(({ rule }) => rule === 'firmware-known').length;
    expect([of('6.6.1'), of('6.6.2')]).toEqual([0, expected]);
  });
});

describe('the memory of a unit', () => {
  const memory = (memoryKb: number | null, version: string): readonly string[] =>
    judgeAppliance(applianceFacts({ system: { memoryKb } }), EXPECTED, {
      role: null,
      logSpeaks: false,
      known: about(version).filter(({ fact }) => fact.use === 'memory'),
    }).map(({ level, suggests, claim }) => `${level} ${String(suggests)}: ${claim}`);

  test.each([
    { memoryKb: 2_029_704, version: '6.4.10', expected: [] },
    {
      memoryKb: 2_029_704,
      version: '6.5.0',
      expected: [
        'warning appliance-memory-low: FortiAuthenticator has 1.9 GB of memory, and firmware 6.5.0 needs at least 4 ' +
          'GB.',
      ],
    },
    { memoryKb: 3_599_999, version: '8.0.3', expected: [expect.stringContaining('has 3.4 GB of memory')] },
    { memoryKb: 3_600_000, version: '8.0.3', expected: [] },
    { memoryKb: 4_032_452, version: '6.6.8', expected: [] },
    { memoryKb: null, version: '6.6.8', expected: [] },
  ])('$memoryKb KB with $version', ({ memoryKb, version, expected }) => {
    expect(memory(memoryKb, version)).toEqual(expected);
  });

  test('stands beside a fault of the same unit as a note, and lowers nothing', () => {
    const fault: Finding = {
      rule: 'no-ftm-errors',
      subject: 'fac-1',
      claim: 'An error.',
      expected: 'none',
      level: 'broken',
      suggests: 'polling-failing',
    };
    const units = ['fac-1', 'fac-2'].map((name) => ({
      config: { name },
      rest: applianceFacts({ appliance: name, system: { memoryKb: 2_029_704 } }),
      known: about('6.5.5'),
    }));
    const beside = memoryBeside([fault, fault], units, ({ subject }) => subject);
    expect(beside).toHaveLength(1);
    expect(beside[0]).toMatchObject({
      subject: 'fac-1',
      level: 'note',
      suggests: 'polling-failing',
      claim: expect.stringMatching(/^Low memory is another possible reason, .*: fac-1 has 1\.9 GB/u),
    });
    expect(memoryBeside([fault], units, () => null)).toHaveLength(2);
    expect(memoryBeside([], units, () => null)).toEqual([]);
  });
});
