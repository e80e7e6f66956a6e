import { strFromU8, unzipSync } from 'fflate';
import { test } from 'vitest';
import { diagnosisToJson } from '../../src/engine/diagnosis-json.ts';
import { ALL_TIME } from '../../src/core/time-text.ts';
import { reportArchive } from '../../src/report/report-archive.ts';
import { pluginAnswer } from '../../src/report/nagios-line.ts';
import { renderDiagnosis, renderSteps } from '../../src/report/report-text.ts';
import { causeOf, diagnosisOf } from '../support/checks/diagnosis-of.ts';
import { path, round } from '../support/checks/observed.ts';
import { wordedCause } from '../support/checks/worded-cause.ts';
import { START } from '../support/store/incident-timeline.ts';
import { expectRecorded } from './recorded.ts';
import { textOfPage } from './text-of-page.ts';

const STYLE = { color: false, width: 100 } as const;

const DIAGNOSES = {
  'nothing is wrong': diagnosisOf(START, []),
  intercepted: diagnosisOf(START, [wordedCause('tls-intercepted')]),
  'a warning': diagnosisOf(START, [causeOf('mail-slow', { severity: 'warning' })]),
  'push does not work': diagnosisOf(START, [wordedCause('push-unreachable')]),
} as const;

test('the result of a check, and the files of a report', async () => {
  const printed = Object.entries(DIAGNOSES).flatMap(([name, diagnosis]) => [
    [`check, ${name}`, renderDiagnosis(diagnosis, STYLE)] as const,
    [`check --steps, ${name}`, renderSteps(diagnosis, STYLE)] as const,
    [`check --nagios, ${name}`, pluginAnswer(diagnosisToJson(diagnosis), { by: 'itself' }).text] as const,
  ]);
  await expectRecorded('report', { ...Object.fromEntries(printed), ...archive() });
});

function archive(): Readonly<Record<string, string>> {
  const { bytes } = reportArchive({
    site: 'hq',
    writtenAt: START,
    period: ALL_TIME,
    versions: { ftmWatch: '1.2.3', node: '26', openssl: '3.5', os: 'Linux' },
    examination: {
      diagnosis: DIAGNOSES.intercepted,
      observations: round({ startedAt: START, durationMs: 1, licenseServer: path() }),
      judged: { assessments: [], tls: [] },
    },
    configuration: { site: 'hq' },
    storedHistory: { kind: 'none' },
    capture: null,
    logMemory: { kind: 'none' },
    secrets: [],
  });
  const files = Object.entries(unzipSync(bytes)).map(([name, file]) => [name, strFromU8(file)] as const);
  return Object.fromEntries(
    files.flatMap(([name, text]) => {
      if (name.endsWith('.html')) return [[name, textOfPage(text)]];
      return name.endsWith('.txt') ? [[name, text]] : [];
    }),
  );
}
