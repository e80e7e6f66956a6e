import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checklistOf } from '../../../src/document/checklist.ts';
import { REMEDY } from '../../../src/document/incident-story.ts';
import { CHECKS, FAULT_IDS, type FaultId, preconditionOf } from '../../../src/checks/registry.ts';
import { ALL_TIME } from '../../../src/core/time-text.ts';
import { diagnose } from '../../../src/engine/diagnose.ts';
import type { Diagnosis } from '../../../src/engine/model.ts';
import type { ReportSources } from '../../../src/report/report-contents.ts';
import { maskFor, reportData } from '../../../src/report/report-data.ts';
import { maskedHistory } from '../../../src/report/timeline.ts';
import { reportHtml } from '../../../src/report/report-html.ts';
import { audit, seriousOf } from '../../support/web/audit.ts';
import { launchBrowser, type OpenPage, openPage } from '../../support/web/browser.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { round } from '../../support/checks/observed.ts';
import { describeWhere } from '../../support/process/privilege.ts';

const AT = Date.parse('2026-11-24T19:55:01Z');
const HOST = 'fortitokenmobile.fortinet.com';
const SCREEN = 900;
/** As long as a real name of an authority makes it. */
const LONG = `issued by C=US, ST=California, L=Sunnyvale, O=Fortinet, OU=Certificate Authority, CN=${'FGVMEV'.repeat(12)}`;
const PATH = { subject: `${HOST}:443`, host: HOST, names: [], endpoints: [], references: [] };
const CONTEXT = {
  site: 'hq',
  at: AT,
  host: HOST,
  port: 443,
  source: '192.0.2.10',
  activation: { licenseActive: null, offlineSupported: null },
  checks: CHECKS,
  applianceUnaffected: false,
};

/** Returns a diagnosis with the maximum evidence, and with other causes. */
function diagnosisWith(id: FaultId): Diagnosis {
  const finding = {
    rule: 'r',
    subject: `${HOST}:443`,
    claim: 'The certificate was issued by another authority.',
    expected: 'another one',
    actual: 'that',
    level: 'broken',
    suggests: id,
    facts: { product: 'Fortinet FortiGate' },
  } as const;
  const findings = Array.from({ length: 12 }, (_, index) => ({ ...finding, claim: `${String(index)} ${LONG}` }));
  const assessment = { id: preconditionOf(id), kind: 'judged', findings, summary: '' } as const;
  const diagnosis = diagnose([assessment], CONTEXT);
  const others = FAULT_IDS.slice(0, 10).map((other) => causeOf(other, { severity: 'warning', subject: 'other:1' }));
  return { ...diagnosis, causes: [...diagnosis.causes, ...others] };
}

function pageOf(diagnosis: Diagnosis): string {
  const sources: ReportSources = {
    site: 'hq',
    writtenAt: AT,
    period: ALL_TIME,
    versions: { ftmWatch: '1.2.3', node: '26', openssl: '3.5', os: 'Linux' },
    examination: {
      diagnosis,
      observations: round({ startedAt: AT, durationMs: 1, licenseServer: PATH }),
      targets: [],
    },
    configuration: { site: 'hq' },
    storedHistory: { kind: 'none' },
    capture: null,
    logMemory: { kind: 'none' },
    secrets: [],
  };
  const mask = maskFor(sources);
  const history = maskedHistory(sources.storedHistory, mask);
  return reportHtml(reportData(sources, history, mask), history, {
    answers: 'answer\n'.repeat(50),
    byHand: [],
    checklist: checklistOf(diagnosis, 'whole').items,
    files: ['report.json'],
  });
}

describeWhere([{ program: 'chromium' }], 'the first page of a report', () => {
  let browser: Browser;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ftm-watch-report-'));
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  function open(id: FaultId, width: number, colorScheme: 'light' | 'dark' = 'light'): Promise<OpenPage> {
    const file = join(folder, `${id}.html`);
    writeFileSync(file, pageOf(diagnosisWith(id)));
    const viewport = { width, height: SCREEN };
    return openPage(browser, pathToFileURL(file).href, { viewport, colorScheme });
  }

  test('ends within three screens, whatever the cause', async () => {
    await using opened = await open('tls-intercepted', 900);
    const { page } = opened;
    const ends = new Map<string, number>();
    for (const width of [900, 1440]) {
      await page.setViewportSize({ width, height: SCREEN });
      for (const id of FAULT_IDS) {
        await page.setContent(pageOf(diagnosisWith(id)));
        ends.set(`${id} at ${String(width)}`, (await page.locator('nav').boundingBox())?.y ?? Number.NaN);
        expect(await page.locator('main > .facts > dt').allTextContents()).toEqual(
          expect.arrayContaining(['Impact', 'Where', 'Since', 'Cause', 'Evidence', REMEDY]),
        );
      }
    }
    expect([...ends].filter(([, end]) => !(end < 3 * SCREEN))).toEqual([]);
  });

  test('leads to every appendix, which is folded until then', async () => {
    await using opened = await open('tls-intercepted', 900);
    const { page, complaints, requests } = opened;
    const links = await page.locator('main a').all();
    expect(links.length).toBeGreaterThan(12);
    for (const link of await page.locator('nav a').all()) {
      const target = page.locator((await link.getAttribute('href')) ?? '');
      expect(await target.isVisible()).toBe(false);
      await link.click();
      expect(await target.isVisible()).toBe(true);
    }
    for (const link of links) {
      const target = page.locator((await link.getAttribute('href')) ?? '');
      expect(await target.count()).toBe(1);
    }
    expect(complaints).toEqual([]);
    expect(requests).toHaveLength(1);
  });

  test.each([
    [1440, 'light'],
    [900, 'dark'],
    [390, 'light'],
    [390, 'dark'],
  ] as const)('can be read by everybody at %i px, %s', async (width, colors) => {
    await using opened = await open('tls-intercepted', width, colors);
    const { page } = opened;
    await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    expect(seriousOf(await audit(page))).toEqual([]);
  });
});
