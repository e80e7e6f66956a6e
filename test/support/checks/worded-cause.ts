import { dependsOnFact, wordsFor } from '../../../src/engine/words.ts';
import { wordsOf, type CauseId } from '../../../src/checks/registry.ts';
import { type Cause, impactOf } from '../../../src/engine/model.ts';
import { remedyOf, fill, type WordingFacts } from '../../../src/engine/remedy-words.ts';
import { causeOf } from './diagnosis-of.ts';

const FORTIGATE = 'Fortinet FortiGate';

const FACTS: WordingFacts = {
  subject: 'fortitokenmobile.fortinet.com:443',
  host: 'fortitokenmobile.fortinet.com',
  port: '443',
  address: '173.243.138.84',
  product: FORTIGATE,
  appliance: 'fac-1',
  source: '10.0.0.5',
};

/** Returns a cause with its texts as people read them: its longest remedy, and evidence of maximum length. */
export function wordedCause(id: CauseId): Cause {
  const words = wordsOf(id);
  const product = dependsOnFact(words, 'product') ? FORTIGATE : null;
  const { remedy } = wordsFor(words, { product: FORTIGATE });
  return causeOf(id, {
    severity: words.severity,
    product,
    subject: FACTS.subject,
    summary: fill(words.summary, FACTS),
    impact: impactOf(words.impact, { licenseActive: true, offlineSupported: null }),
    evidence: ['expected the key that is known, got another one', `got "${'0123456789abcdef'.repeat(20)}"`],
    ...remedyOf(remedy, FACTS),
  });
}
