import { expect, test } from 'vitest';
import { remedyOf, ANY_SERVER } from '../../../../../src/engine/remedy-words.ts';
import { type CommandStep, shell } from '../../../../../src/engine/model.ts';
import {
  emailContentHtml,
  type EmailContent,
  emailContentText,
} from '../../../../../src/notify/channels/email-rendering.ts';

const LONG_NAME = 'x'.repeat(80);
const CHANGE: CommandStep = {
  text: 'Do it.',
  syntax: 'fortios',
  commands: ['config a', '    edit 0'],
  undo: ['delete {newid}'],
};
const { remedySteps } = remedyOf([shell('Look again.', `dig ${LONG_NAME}`, 'a <b'), CHANGE], ANY_SERVER);
const CONTENT: EmailContent = {
  subject: 'S',
  tone: 'critical',
  lead: { kind: 'steps', first: 1, lines: remedySteps.slice(0, 1) },
  links: [],
  sections: [{ title: 'Then', kind: 'steps', first: 2, lines: remedySteps.slice(1) }],
  facts: [],
  commands: [],
};

test('a mail has the blocks of commands on lines of their own, whole, below their steps', () => {
  expect(emailContentText(CONTENT)).toBe(`1. Look again.
   Shell, ready to copy:
     dig ${LONG_NAME}
     a <b

Then
  2. Do it.
     FortiGate CLI, ready to copy:
       config a
           edit 0
     The way back, not ready: FILL-IN-NEW-ID is the number that the FortiGate
     gave the new policy:
       delete FILL-IN-NEW-ID


-- 
ftm-watch
`);
});

test('its HTML has each block as one element with nothing else in it', () => {
  const blocks = [...emailContentHtml(CONTENT).matchAll(/<pre style="[^"]*">([^]*?)<\/pre>/gu)].map(([, text]) => text);
  expect(blocks).toEqual([`dig ${LONG_NAME}\na &#60;b`, 'config a\n    edit 0', 'delete FILL-IN-NEW-ID']);
});
