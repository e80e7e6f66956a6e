import { expect, test } from 'vitest';
import type { Diagnosis } from '../../../src/engine/model.ts';
import { createDiagnosisLog } from '../../../src/runtime/app.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';

/** Returns the level, message and causes that are logged for these diagnoses. */
function logged(diagnoses: readonly Diagnosis[]): readonly string[] {
  const recorder = logRecorder();
  const note = createDiagnosisLog(recorder);
  for (const diagnosis of diagnoses) note(diagnosis);
  return recorder.lines.map(({ level, message, fields }) => `${level} ${message} ${JSON.stringify(fields)}`);
}

const good = diagnosisOf(0, []);
const bad = diagnosisOf(0, [causeOf('tls-intercepted')]);

test('the first diagnosis is told, good or bad', () => {
  expect(logged([good])).toEqual(['info Activation can work {"ready":"ready","causes":[]}']);
  expect(logged([bad])).toHaveLength(1);
});

test('a change is told once, with the causes', () => {
  expect(logged([good, good, bad, bad, bad, good])).toEqual([
    'info Activation can work {"ready":"ready","causes":[]}',
    'warn Activation cannot work ' +
      '{"ready":"not-ready","causes":[{"id":"tls-intercepted","severity":"critical",' +
      '"subject":"fortitokenmobile.fortinet.com:443"}]}',
    'info Activation can work {"ready":"ready","causes":[]}',
  ]);
});

test('a second cause is a change, its order and its wording are none', () => {
  const both = [causeOf('tls-intercepted'), causeOf('mail-unreachable')];
  const reworded = both
    .toReversed()
    .map((cause) => ({ ...cause, summary: 'Other words', evidence: ['Other evidence'] }));
  expect(logged([bad, diagnosisOf(0, both), diagnosisOf(1, reworded)])).toHaveLength(2);
});

test('what is unknown is named', () => {
  const diagnosis: Diagnosis = { ...diagnosisOf(0, [], { 'tls-genuine': 'unknown' }), ready: 'unknown' };
  expect(logged([diagnosis])).toEqual([
    'warn It is unknown whether activation can work {"ready":"unknown","causes":[],"unknown":["tls-genuine"]}',
  ]);
});
