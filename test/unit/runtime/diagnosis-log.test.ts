import { expect, test } from 'vitest';
import type { Diagnosis } from '../../../src/engine/model.ts';
import { createDiagnosisLog } from '../../../src/runtime/daemon.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';

/** Returns the level and the fields that are logged for these diagnoses. */
function logged(diagnoses: readonly Diagnosis[]): readonly string[] {
  const recorder = logRecorder();
  const note = createDiagnosisLog(recorder);
  for (const diagnosis of diagnoses) note(diagnosis);
  return recorder.lines.map(({ level, fields }) => `${level} ${JSON.stringify(fields)}`);
}

const good = diagnosisOf(0, []);
const bad = diagnosisOf(0, [causeOf('tls-intercepted', { subject: 's' })]);
const GOOD = 'info {"ready":"ready","causes":[]}';
const BAD = 'warn {"ready":"not-ready","causes":[{"id":"tls-intercepted","severity":"critical","subject":"s"}]}';

test.each<readonly [string, readonly Diagnosis[], readonly string[]]>([
  ['the first diagnosis if it is good', [good], [GOOD]],
  ['the first diagnosis if it is bad', [bad], [BAD]],
  ['each change once', [good, good, bad, bad, bad, good], [GOOD, BAD, GOOD]],
  [
    'what is unknown',
    [{ ...diagnosisOf(0, [], { 'tls-genuine': 'unknown' }), ready: 'unknown' }],
    ['warn {"ready":"unknown","causes":[],"unknown":["tls-genuine"]}'],
  ],
])('the log has %s', (_, diagnoses, lines) => {
  expect(logged(diagnoses)).toEqual(lines);
});

test('a second cause is a change, its order and its wording are none', () => {
  const both = [causeOf('tls-intercepted'), causeOf('mail-unreachable')];
  const reworded = both
    .toReversed()
    .map((cause) => ({ ...cause, summary: 'Other words', evidence: ['Other evidence'] }));
  expect(logged([bad, diagnosisOf(0, both), diagnosisOf(1, reworded)])).toHaveLength(2);
});
