import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { zoneOf } from '../../../src/core/time-text.ts';
import { renderFeed } from '../../../src/web/feed.ts';
import { anyText } from '../../support/security/any-text.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { START } from '../../support/store/incident-timeline.ts';
import { incidentOf } from '../../support/notify/outbox-entry-of.ts';
import { describeWhere } from '../../support/process/privilege.ts';

/**
 * Reads documents as any XML parser does. Prints the names of all elements and the text of each `content`, or the error.
 */
const READ = `import json, sys
import xml.etree.ElementTree as tree
def read(text):
    try:
        root = tree.fromstring(text.encode('utf-8'))
    except tree.ParseError as error:
        return {'error': str(error)}
    texts = [''.join(one.itertext()) for one in root.iter('{http://www.w3.org/2005/Atom}content')]
    return {'names': sorted({one.tag.split('}')[1] for one in root.iter()}), 'texts': texts}
print(json.dumps([read(text) for text in json.load(sys.stdin)]))`;

const ELEMENTS = 'a author category content div entry feed id link name p published title updated'.split(' ');

interface Read {
  readonly error?: string;
  readonly names?: readonly string[];
  readonly texts?: readonly string[];
}

function readFeeds(texts: readonly string[]): readonly Read[] {
  const feeds = texts.map((text) => {
    const incident = incidentOf(causeOf('tls-intercepted', { subject: text, summary: text, remedy: [text] }));
    return renderFeed({
      site: text,
      publicUrl: `https://ftm.example.org/?${encodeURIComponent(text.toWellFormed())}"<&`,
      incidents: [{ ...incident, id: text.toWellFormed() }],
      startedAt: START,
      zone: zoneOf('UTC'),
    });
  });
  return JSON.parse(
    execFileSync('python3', ['-c', READ], { input: JSON.stringify(feeds), encoding: 'utf8' }),
  ) as Read[];
}

const ATTACKS = [
  '</p></div></content></entry></feed>',
  '<script xmlns="http://www.w3.org/1999/xhtml">alert(1)</script>',
  ']]>',
  '<![CDATA[x]]>',
  '<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]>&y;',
  '&y; & &#0; &lt;',
  '"><x a="',
  '\u0000\u0001\u0008\u000B\u001F\u007F\u0085',
  '\uFFFE\uFFFF\uD800\u{1FFFE}',
  '\u202E\u2028<?x?>',
];

describeWhere([{ program: 'python3' }], 'the feed, with texts of a hostile certificate', () => {
  test('is XML with the same elements, and the texts in it are texts', () => {
    for (const { error, names } of readFeeds(ATTACKS)) expect([error, names]).toEqual([undefined, ELEMENTS]);
    const [first, second] = readFeeds(['<b>bold</b> & more', 'a\uFFFEb\u0001c']);
    expect(first?.texts?.[0]).toContain('<b>bold</b> & more');
    expect(second?.texts?.[0]).toContain(String.raw`a�b\u{1}c`);
  });

  test('and so it is with any text', () => {
    for (const { error, names } of readFeeds(fc.sample(anyText(30), 500)))
      expect([error, names]).toEqual([undefined, ELEMENTS]);
  });
});
