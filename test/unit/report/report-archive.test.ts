import { strFromU8, unzipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Plain } from '../../../src/config/print.ts';
import { ALL_TIME } from '../../../src/core/time-text.ts';
import type { PathObservation } from '../../../src/core/round.ts';
import type { ReportSources } from '../../../src/report/report-contents.ts';
import { reportArchive } from '../../../src/report/report-archive.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { round } from '../../support/checks/observed.ts';
import { formerCauseOf } from '../../support/notify/outbox-entry-of.ts';
import { START, timeline } from '../../support/store/incident-timeline.ts';

const AT = Date.parse('2026-11-24T19:55:01Z');
const SECRET = `p"a<s>s&w'o/r d+1`;
const PATH: PathObservation = { subject: 'host:443', host: 'host', names: [], endpoints: [], references: [] };

function sources(more: Partial<ReportSources> = {}): ReportSources {
  const evidence = [
    `the page said: ${SECRET}`,
    `Authorization: ${Buffer.from(`u:${SECRET}`).toString('base64')}`,
    '<script>alert(1)</script>',
  ];
  return {
    site: 'hq',
    writtenAt: AT,
    period: ALL_TIME,
    versions: { ftmWatch: '1.2.3', node: '24', openssl: '3.5', os: 'Linux' },
    examination: {
      diagnosis: diagnosisOf(AT, [causeOf('appliance-unreachable', { evidence })]),
      observations: round({ startedAt: AT, durationMs: 1, licenseServer: PATH }),
      targets: [],
    },
    configuration: { site: 'hq' },
    storedHistory: { kind: 'none' },
    capture: null,
    logMemory: { kind: 'none' },
    secrets: [SECRET],
    ...more,
  };
}

function unpacked(more: Partial<ReportSources> = {}): ReadonlyMap<string, string> {
  const entries = Object.entries(unzipSync(reportArchive(sources(more)).bytes));
  return new Map(entries.map(([name, bytes]) => [name.slice(name.indexOf('/') + 1), strFromU8(bytes)]));
}

describe('the archive', () => {
  test('is one folder, which tells what is in it', () => {
    const { folder, files, bytes } = reportArchive(sources());
    expect(folder).toBe('ftm-watch-report-hq-20261124T195501Z');
    const entries = unzipSync(bytes);
    expect(files.map(({ name, size }) => [`${folder}/${name}`, size])).toEqual(
      Object.entries(entries).map(([name, { length }]) => [name, length]),
    );
  });

  test('leaves a place for what Fortinet TAC asks for besides', () => {
    expect(
      unpacked()
        .get('add-by-hand/README.txt')
        ?.match(/Source: /gu),
    ).toHaveLength(6);
    const diagnosis = diagnosisOf(AT, [causeOf('push-unreachable')]);
    const { examination } = sources();
    expect(unpacked({ examination: { ...examination, diagnosis } }).get('add-by-hand/README.txt')).toContain(
      'execute ping push.fortinet.com',
    );
  });

  test.each([
    ['Zürich – Büro 1/../etc', 'ftm-watch-report-Zurich-Buro-1-..-etc-20261124T195501Z'],
    ['東京', 'ftm-watch-report-unnamed-20261124T195501Z'],
  ])('of the site %s has a name that every system takes', (site, folder) => {
    expect(reportArchive(sources({ site })).folder).toBe(folder);
  });

  test.each([0, Date.parse('1979-12-31T23:59:59Z'), Date.parse('2150-01-01T00:00:00Z')])(
    'is written whatever the clock says: %i',
    (writtenAt) => {
      expect(unpacked({ writtenAt }).has('report.json')).toBe(true);
    },
  );

  test('holds a secret that a peer sent back in none of its files', () => {
    const encoded = Buffer.from(`u:${SECRET}`).toString('base64').slice(4, 16);
    const telling = [...unpacked()].filter(([, text]) => /p(?:"|\\"|&quot;)a/u.test(text) || text.includes(encoded));
    expect(telling.map(([name]) => name)).toEqual([]);
    expect(unpacked().get('report.html')).toContain('the page said: ‹secret›');
    expect(unpacked().get('report.json')).toContain('the page said: ‹secret›');
    expect(unpacked().get('checklist.txt')).toContain('the page said: ‹secret›');
  });

  test('names nobody whom a cause quotes or who acknowledged it', () => {
    const person = 'alice@example.org';
    const cause = causeOf('egress-blocked', {
      subject: `unit ${person}:443`,
      observed: `the proxy answers: denied for ${person}`,
      policyReport: `policy "only ${person}"`,
      summary: `Denied for ${person}`,
      evidence: [person],
      remedy: [`Read the reply: ${person}`],
    });
    const { incidents } = timeline().rounds(2, [cause]).state;
    const earlier = incidents.map((incident) => ({
      ...incident,
      openingEvidence: [person],
      acknowledgement: { at: START, by: 'alice' },
      formerCauses: [formerCauseOf('tls-blocked', START, cause.subject)],
    }));
    const { examination } = sources();
    const files = unpacked({
      examination: { ...examination, diagnosis: diagnosisOf(AT, [cause]) },
      storedHistory: {
        kind: 'read',
        incidents: earlier,
        olderIncidents: 0,
        outboxEntries: [],
        olderEntries: 0,
        certificates: [],
      },
    });
    expect([...files].flatMap(([name, text]) => text.match(/.*alice.*/gu)?.map((line) => [name, line]) ?? [])).toEqual(
      [],
    );
    expect(files.get('report.json')).toContain('"subject": "unit <user>@example.org:443"');
    expect(files.get('report.html')).toContain('tls-blocked');
  });

  test('shows hostile text as text', () => {
    const page = unpacked().get('report.html') ?? '';
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page).not.toMatch(/<script|\ssrc=|\shref="[^#]|url\(/iu);
  });

  test('shows the configuration without accounts and people', () => {
    const configuration: Readonly<Record<string, Plain>> = {
      licenseServer: { host: 'h', proxy: { url: 'http://10.0.0.8:3128', user: 'joe', passwordFile: '/run/p' } },
      registration: { user: 'joe', accountId: 12 },
      notify: { email: { from: 'FTM watch <joe@example.org>', to: ['joe@example.org'] } },
      web: { listen: '127.0.0.1:1', users: [{ name: 'joe', passwordHashFile: '/run/h' }] },
      services: [{ name: 'push' }],
    };
    const { configuration: shown } = JSON.parse(unpacked({ configuration }).get('report.json') ?? '') as {
      readonly configuration: unknown;
    };
    expect(shown).toEqual(
      parse(`licenseServer: { host: h, proxy: { url: "http://10.0.0.8:3128", user: <user>, passwordFile: /run/p } }
registration: { user: <user>, accountId: <user> }
notify: { email: { from: "FTM watch <<user>@example.org>", to: ["<user>@example.org"] } }
web: { listen: "127.0.0.1:1", users: [{ name: <user>, passwordHashFile: /run/h }] }
services: [{ name: push }]`),
    );
  });
});
