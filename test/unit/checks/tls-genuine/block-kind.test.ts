import { describe, expect, test } from 'vitest';
import { judgeTls } from '../../../../src/checks/tls-genuine/verdict.ts';
import {
  ALERT,
  CALLED_OFF,
  CUT_LATER,
  describeBlocks,
  EARLY_RESET,
  NOTHING,
  other,
  PAGE,
  PASSES,
  RESET,
  SILENCE,
  type BlockRow,
} from '../../../support/certificates/block-rows.ts';
import { failed } from '../../../support/certificates/chains.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';

const { evidence } = await createCast();

const ROWS: readonly BlockRow[] = [
  { when: 'a reset, and nobody looked closer', outcome: RESET, closer: null, confidence: 'suspected' },
  {
    when: 'a reset, and the closer look was called off',
    outcome: RESET,
    closer: other(CALLED_OFF),
    confidence: 'suspected',
  },
  { when: 'a block page', outcome: PAGE, closer: null, kind: 'page-in-plain-text', confidence: 'confirmed' },

  {
    when: 'another name passes',
    outcome: RESET,
    closer: other(PASSES),
    kind: 'name-filtered',
    confidence: 'suspected',
  },
  {
    when: 'no name passes',
    outcome: SILENCE,
    closer: other(PASSES, null),
    kind: 'name-filtered',
    confidence: 'suspected',
  },
  {
    when: 'another name gets a certificate, then a reset',
    outcome: RESET,
    closer: other(CUT_LATER),
    kind: 'name-filtered',
    confidence: 'suspected',
  },
  {
    when: 'another name passes, own name cut early',
    outcome: EARLY_RESET,
    closer: other(PASSES),
    kind: 'name-filtered',
    confidence: 'confirmed',
  },
  {
    when: 'another name passes, and so does the own one a moment later',
    outcome: SILENCE,
    closer: { ...other(PASSES), again: PASSES },
    confidence: 'suspected',
  },
  {
    when: 'another name passes, and the own one is still blocked',
    outcome: SILENCE,
    closer: { ...other(PASSES), again: SILENCE },
    kind: 'name-filtered',
    confidence: 'suspected',
  },
  {
    when: 'another name passes, and the server says that it does not know its own',
    outcome: failed({ reason: 'tls', alert: 'unrecognized_name' }),
    closer: other(PASSES),
    confidence: 'suspected',
  },
  { when: 'another name is cut too', outcome: RESET, closer: other(RESET), confidence: 'suspected' },
  {
    when: 'another name is cut too, control hosts are not',
    outcome: RESET,
    closer: { ...other(RESET), controls: [PASSES] },
    confidence: 'suspected',
  },

  {
    when: 'silence, for another name and from control hosts as well, and a small answer',
    outcome: SILENCE,
    closer: { ...other(SILENCE), again: SILENCE, refusable: ALERT, controls: [SILENCE, SILENCE] },
    kind: 'large-answers-lost',
    confidence: 'suspected',
  },
  {
    when: 'the same, but no small answer',
    outcome: SILENCE,
    closer: { ...other(SILENCE), refusable: SILENCE, controls: [SILENCE, SILENCE] },
    kind: 'all-tls-cut',
    confidence: 'suspected',
  },
  {
    when: 'the same, but a control host passes',
    outcome: SILENCE,
    closer: { ...other(SILENCE), refusable: ALERT, controls: [SILENCE, PASSES] },
    confidence: 'suspected',
  },
  {
    when: 'the same, but no control host',
    outcome: SILENCE,
    closer: { ...other(SILENCE), refusable: ALERT },
    confidence: 'suspected',
  },
  {
    when: 'the same, but it passes now',
    outcome: SILENCE,
    closer: { ...other(SILENCE), again: PASSES, refusable: ALERT, controls: [SILENCE] },
    confidence: 'suspected',
  },
  {
    when: 'the same, but another name was not asked',
    outcome: SILENCE,
    closer: { refusable: ALERT, controls: [SILENCE, SILENCE] },
    kind: 'all-tls-cut',
    confidence: 'suspected',
  },
  {
    when: 'silence, and the only control host that could be asked is silent as well',
    outcome: SILENCE,
    closer: { ...other(SILENCE), controls: [SILENCE] },
    confidence: 'suspected',
  },

  {
    when: 'two control hosts cut as well',
    outcome: RESET,
    closer: { ...other(RESET), controls: [RESET, ALERT] },
    kind: 'all-tls-cut',
    confidence: 'confirmed',
  },
  {
    when: 'one control host cut as well',
    outcome: RESET,
    closer: { controls: [RESET] },
    kind: 'all-tls-cut',
    confidence: 'suspected',
  },
  {
    when: 'one control host cut as well, and small answers come',
    outcome: RESET,
    closer: { ...other(RESET), refusable: ALERT, controls: [RESET] },
    kind: 'all-tls-cut',
    confidence: 'suspected',
  },
  {
    when: 'a control host cut after its certificate',
    outcome: RESET,
    closer: { controls: [RESET, CUT_LATER] },
    confidence: 'suspected',
  },
  {
    when: 'a control host silent, the server cut',
    outcome: RESET,
    closer: { controls: [RESET, SILENCE] },
    confidence: 'suspected',
  },
  {
    when: 'control hosts called off',
    outcome: RESET,
    closer: { controls: [RESET, CALLED_OFF] },
    confidence: 'suspected',
  },
];

describeBlocks(ROWS);

describe('judgeTls() on a handshake that is blocked', () => {
  test('shows the name that passed, and as text only', () => {
    const closer = { ...NOTHING, ...other(PASSES, 'www.iana.org\u001B[31m') };
    const { findings } = judgeTls(evidence({ outcome: RESET, closer }));
    expect(findings.map(({ claim }) => claim).join('\n')).toMatch(/^[ -~\n…]+$/u);
    expect(findings[1]).toMatchObject({
      rule: 'server-name-makes-no-difference',
    });
  });
});
