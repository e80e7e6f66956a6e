import { describe, expect, test } from 'vitest';
import { memoryBeside } from '../../../../src/checks/appliance/judge.ts';
import { confirmedClock } from '../../../../src/checks/clock/judge.ts';
import type { ClockEstimate, OwnClock } from '../../../../src/core/observation.ts';
import type { ApplianceClock, ApplianceFacts } from '../../../../src/core/license/appliance.ts';
import { factsAbout, outageWarning } from '../../../../src/core/license/firmware.ts';
import type { Finding } from '../../../../src/engine/model.ts';
import { loadFirmwareFacts } from '../../../../src/connectors/firmware-facts.ts';
import { applianceFacts } from '../../../support/checks/appliance-facts.ts';
import { finding } from '../../../support/checks/judged-round.ts';
import { judgeAppliance, type OtherViews } from '../../../support/checks/judged-appliance.ts';

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

function judge(seen: ApplianceFacts, views: Partial<OtherViews>): readonly Finding[] {
  return judgeAppliance(seen, EXPECTED, { role: null, logSpeaks: false, ...views });
}

function clockFindings(clock: ApplianceClock | null, ownClock: OwnClock | null): readonly Finding[] {
  return judge(applianceFacts({ clock }), { ownClock });
}

describe('the clock of a unit', () => {
  test.each<readonly [string, ApplianceClock, OwnClock | null, readonly string[]]>([
    ['agrees', clockOf(0), own(), []],
    ['19 s ahead', clockOf(19_000), own(), []],
    ['21 s ahead', clockOf(21_000), own(), ['warning 21 s ahead']],
    ['21 s behind', clockOf(-21_000), own(), ['warning 21 s behind']],
    ['59 s', clockOf(59_000), own(), ['warning 59 s ahead']],
    ['61 s', clockOf(-61_000), own(), ['warning 1 min 1 s behind codes-rejected']],
    ['slow answers prove less', clockOf(23_000, { precisionMs: 5000 }), own(), []],
    ['our own clock is the wrong one', clockOf(100_000), own({ offsetMs: 100_000 }), []],
    ['agrees with a wrong clock of ours', clockOf(0), own({ offsetMs: 30_000 }), ['warning 30 s behind']],
    ['our clock was set meanwhile', clockOf(90_000, { clockBase: 9000 }), own(), []],
    ['one HTTP answer does not confirm our clock', clockOf(90_000), own({ trusted: false }), ['note']],
    ['nothing confirms it', clockOf(90_000), null, ['note']],
    ['nor when it agrees', clockOf(1000), null, []],
  ])('%s', (_, clock, ownClock, expected) => {
    const told = clockFindings(clock, ownClock).map(({ level, facts, kind }) => [level, facts?.found, kind]);
    expect(told.map((words) => words.filter(Boolean).join(' '))).toEqual(expected);
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

  test('is a note at the unit, for each fact', () => {
    const levels = (version: string): readonly string[] =>
      judge(applianceFacts(), { known: about(version) }).map(({ level }) => level);
    expect(levels('6.6.11')).toEqual([]);
    expect(levels('6.6.0')).toEqual(['note', 'note', 'note', 'note', 'note']);
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
      judge(applianceFacts(), { known: [], factsAsOf: '2026-11-30', at })
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
    expect(outageWarning(units)).toMatch(/ fac-1 \(6\.5\.4\), fac-3 \(6\.6\.0\):/u);
    expect(outageWarning(units.filter(({ name }) => name === 'fac-2'))).toBeNull();
  });

  test.each([
    ['SHA-1 by default', 'u', null, 1],
    ['SHA-1', 'u', 'sha', 1],
    ['SHA-256', 'u', 'sha256', 0],
    ['a community', null, null, 0],
  ] as const)('explains SNMP that fails: %s', (_, user, authProtocol, expected) => {
    const secrets = { community: null, authPassword: null, privPassword: null, privProtocol: null };
    const snmp = { host: '10.0.0.5', port: 161, ...secrets, user, authProtocol };
    const asked = {
      kind: 'failed',
      appliance: 'fac-1',
      reason: 'timeout',
      message: 'No answer',
      durationMs: 1,
    } as const;
    const of = (version: string): number => {
      const known = about(version).filter(({ fact }) => fact.use === 'snmp-sha1');
      return judge(applianceFacts(), { role: asked, known, snmp }).filter(({ rule }) => rule === 'firmware-known')
        .length;
    };
    expect([of('6.6.1'), of('6.6.2')]).toEqual([0, expected]);
  });
});

describe('the memory of a unit', () => {
  test.each([
    [2_029_704, '6.4.10', []],
    [2_029_704, '6.5.0', ['warning appliance-memory-low']],
    [3_599_999, '8.0.3', ['warning appliance-memory-low']],
    [3_600_000, '8.0.3', []],
    [4_032_452, '6.6.8', []],
    [null, '6.6.8', []],
  ])('%s KB with %s', (memoryKb, version, expected) => {
    const known = about(version).filter(({ fact }) => fact.use === 'memory');
    const findings = judge(applianceFacts({ system: { memoryKb } }), { known });
    expect(findings.map(({ level, suggests }) => `${level} ${String(suggests)}`)).toEqual(expected);
  });

  test('stands beside a fault of the same unit as a note, and lowers nothing', () => {
    const fault = finding('polling-failing', { subject: 'fac-1' });
    const units = ['fac-1', 'fac-2'].map((name) => ({
      config: { name },
      rest: applianceFacts({ appliance: name, system: { memoryKb: 2_029_704 } }),
      known: about('6.5.5'),
    }));
    const beside = memoryBeside([fault, fault], units, ({ subject }) => subject);
    expect(beside).toMatchObject([{ subject: 'fac-1', level: 'note', suggests: 'polling-failing' }]);
    expect(memoryBeside([fault], units, () => null)).toHaveLength(2);
    expect(memoryBeside([], units, () => null)).toEqual([]);
  });
});
