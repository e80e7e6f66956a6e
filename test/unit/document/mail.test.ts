import { expect, test } from 'vitest';
import { remedyOf, ANY_SERVER } from '../../../src/engine/remedy-words.ts';
import { type CommandStep, shell } from '../../../src/engine/model.ts';
import { type MailDocument, mailHtml, mailText } from '../../../src/document/mail.ts';

const LONG_NAME = 'x'.repeat(80);
const CHANGE: CommandStep = {
  text: 'Do it.',
  syntax: 'fortios',
  commands: ['config a', '    edit 0'],
  undo: ['delete {newid}'],
};
const { remedySteps } = remedyOf([shell('Look again.', `dig ${LONG_NAME}`, 'a <b'), CHANGE], ANY_SERVER);
const CONTENT: MailDocument = {
  subject: 'S',
  tone: 'critical',
  lead: ['Do this.'],
  links: [],
  sections: [{ title: 'What to do', parts: [{ kind: 'steps', lines: remedySteps }] }],
  facts: [],
  commands: [],
};

test('a mail has the blocks of commands on lines of their own, whole, below their steps', () => {
  expect(mailText(CONTENT)).toBe(`Do this.

What to do
  1. Look again.
     Shell, ready to copy:
       dig ${LONG_NAME}
       a <b
  2. Do it.
     FortiGate CLI, ready to copy:
       config a
           edit 0
     Undo, not ready: FILL-IN-NEW-ID is the ID that the FortiGate assigned to
     the new policy:
       delete FILL-IN-NEW-ID


-- 
ftm-watch
`);
});

test('its HTML has each block as one element with nothing else in it', () => {
  const blocks = [...mailHtml(CONTENT).matchAll(/<pre style="[^"]*">([^]*?)<\/pre>/gu)].map(([, text]) => text);
  expect(blocks).toEqual([`dig ${LONG_NAME}\na &#60;b`, 'config a\n    edit 0', 'delete FILL-IN-NEW-ID']);
});
