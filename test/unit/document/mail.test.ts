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
  const lines = mailText(CONTENT).split('\n');
  const indexes = ['1. Look again.', `dig ${LONG_NAME}`, 'a <b', '2. Do it.', 'config a', '    edit 0'].map((part) =>
    lines.findIndex((line) => line.trimStart() === part.trimStart() && line.endsWith(part)),
  );
  expect(indexes).not.toContain(-1);
  expect(indexes).toEqual(indexes.toSorted((one, other) => one - other));
});

test('its HTML has each block as one element with nothing else in it', () => {
  const blocks = [...mailHtml(CONTENT).matchAll(/<pre style="[^"]*">([^]*?)<\/pre>/gu)].map(([, text]) => text);
  expect(blocks).toEqual([`dig ${LONG_NAME}\na &#60;b`, 'config a\n    edit 0', 'delete FILL-IN-NEW-ID']);
});
