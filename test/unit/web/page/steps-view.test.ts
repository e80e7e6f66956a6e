import { expect, test } from 'vitest';
import { activationOutlook } from '../../../../src/checks/activation-steps.ts';
import { outlookLine, routeMapOf, routeMapView } from '../../../../src/web/page/route-map.ts';
import { causeOf, diagnosisOf } from '../../../support/checks/diagnosis-of.ts';

const AT = Date.UTC(2026, 10, 24, 13);

test('the answer stands in one line, and leads to the steps', () => {
  const diagnosis = diagnosisOf(AT, [causeOf('tls-intercepted')]);
  const broken = activationOutlook(diagnosis);
  const [, steps = ''] = String(routeMapView(routeMapOf(diagnosis.preconditions), broken)).split(
    '<details id="steps">',
  );
  expect(String(outlookLine(broken))).toContain(
    '<a href="#steps">Would an activation succeed now? No, it would fail at step 4',
  );
  expect(steps).toContain('The cause and its remedy are shown above');
  expect(steps.match(/<li>/gu)).toHaveLength(9);
  expect(String(outlookLine(activationOutlook(diagnosisOf(AT, []))))).toContain('Yes, as far as this can be checked');
  expect(String(outlookLine(activationOutlook({ ...diagnosisOf(AT, []), ready: 'unknown' })))).toContain(
    'cannot be determined',
  );
});
