import { describe, expect, test } from 'vitest';
import type { Finding } from '../../../../src/engine/model.ts';
import { diagnosisOf } from '../../../support/checks/diagnosis-of.ts';
import { finding } from '../../../support/checks/judged-round.ts';
import { START } from '../../../support/store/incident-timeline.ts';
import { render } from '../../../support/web/rendered-page.ts';

const FULL = 'C=US, O=Fortinet, CN=FG100FTK20012345';

function shown(more: Partial<Finding>, timezone = 'UTC'): string {
  const status = { id: 'tls-genuine', state: 'broken', summary: 'It is intercepted', blockedBy: [] } as const;
  const preconditions = [{ ...status, findings: [finding('tls-intercepted', more)] }];
  const page = render({ timezone, diagnosis: { ...diagnosisOf(START, []), preconditions } });
  return page.split('id="checklist-title"')[1]?.split('</section>')[0] ?? '';
}

describe('a finding on the page', () => {
  test('is a claim, with the full names, the words of others, the address and the time below it', () => {
    const page = shown({
      claim: 'The certificate was issued by FG100FTK20012345.',
      actual: `Issued by ${FULL}`,
      quote: 'action="resign"',
      at: Date.UTC(2026, 10, 24, 12),
      facts: { address: '173.243.138.84' },
    });
    const [outside, inside] = page.split('<details');
    expect(outside).not.toContain(FULL);
    expect(inside).toContain('<p>The certificate was issued by FG100FTK20012345.</p>');
    expect(inside).toContain(`<dt>Seen</dt><dd>Issued by ${FULL}</dd>`);
    expect(inside).toContain('<dt>Verbatim</dt><dd>action=&quot;resign&quot;</dd>');
    expect(inside).toContain('<dt>Address</dt><dd>173.243.138.84</dd>');
    expect(inside).toContain('<dt>Last seen</dt><dd>2026-11-24 12:00:00 UTC</dd>');
  });

  test('was last seen in the time of the reader', () => {
    expect(shown({ at: Date.UTC(2026, 10, 24, 12) }, 'Europe/Berlin')).toContain(
      '<dt>Last seen</dt><dd>2026-11-24 13:00:00 +01:00 (12:00:00 UTC)</dd>',
    );
  });

  test('does not repeat what was seen, and tells no address and no time where there is none', () => {
    const page = shown({ actual: 'timeout: No result', quote: 'No result' });
    expect(page).not.toMatch(/Verbatim|Address|Last seen/u);
  });
});
