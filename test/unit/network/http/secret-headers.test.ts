import { validateHeaderName, validateHeaderValue } from 'node:http';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { withoutSecrets } from '../../../../src/core/visible-text.ts';
import { headerIn, type HeaderSources, readHeaders, secretsIn } from '../../../../src/network/http/secret-headers.ts';

const FILE = { kind: 'file', path: '/run/secrets/headers' } as const;

function readText(text: string, more: Partial<HeaderSources> = {}): ReturnType<typeof readHeaders> {
  return readHeaders({ headers: FILE, ...more }, () => Promise.resolve(text));
}

async function refusalOf(text: string, more: Partial<HeaderSources> = {}): Promise<string> {
  return readText(text, more).then(
    () => '',
    (error: unknown) => String(error),
  );
}

describe('readHeaders()', () => {
  test('reads one header from each line', async () => {
    const { headers } = await readText('Authorization: Splunk a:b\r\n\r\n  x-key :  1  \r\nX-Empty:\n');
    expect(headers).toEqual({ authorization: 'Splunk a:b', 'x-key': '1', 'x-empty': '' });
  });

  test.each([
    ['s3cret', 1],
    ['X-Key: a\n\nBearer s3cret', 3],
    ['X-Key: a\nX Key: s3cret', 2],
    [': s3cret', 1],
    ['X-Key: s3cret\u0000', 1],
    ['X-Key: s3cret\rX-Other: b', 1],
    ['X-Key: s3cret€', 1],
    ['X-Key: a\nx-kEY: s3cret', 2],
  ])('refuses %j by its file and line, without quoting it', async (text, line) => {
    const refusal = await refusalOf(text);
    expect(refusal).toContain(`"${FILE.path}", line ${String(line)}`);
    expect(refusal).not.toContain('s3cret');
  });

  test.each(['Host', 'Content-Length', 'transfer-encoding', 'Connection', 'TE', 'Upgrade', 'Proxy-Authorization'])(
    'refuses "%s", which belongs to the connection or the body',
    async (name) => {
      const refusal = await refusalOf(`${name}: s3cret`);
      expect(refusal).toContain(`"${name.toLowerCase()}"`);
      expect(refusal).not.toContain('s3cret');
    },
  );

  test('refuses a second "Authorization" in addition to the token', async () => {
    const token = { kind: 'env', name: 'TOKEN' } as const;
    expect(await refusalOf('X-Key: a\nauthorization: s3cret', { token })).toContain('line 2');
    expect((await readText('X-Key: a', { token })).headers).toEqual({ 'x-key': 'a' });
  });
});

test.each([
  ['Splunk 0123-4567-89ab', '0123-4567-89ab'],
  ['Token token="0123456789", id=1', '0123456789'],
  [`Basic ${Buffer.from('ops:p4ssword').toString('base64')}`, 'p4ssword'],
  [`Basic ${Buffer.from('ops:short').toString('base64')}`, 'short'],
  ['0123456789', '0123456789'],
])('a server cannot quote a part of "%s"', (value, part) => {
  expect(withoutSecrets(`unknown: ${part}, ${value}!`, secretsIn(value))).not.toContain(part);
});

/** Returns how a header is refused, or an empty text. @throws if it is not refused but cannot be sent */
function refusalOfHeader(text: string): string {
  let header: ReturnType<typeof headerIn>;
  try {
    header = headerIn(text, ':', 'a header');
  } catch (error) {
    return String(error);
  }
  validateHeaderName(header[0]);
  validateHeaderValue(...header);
  return '';
}

test('any header is either refused without a quotation or can be sent', () => {
  const unit = fc.constantFrom('a', ':', ' ', '\t', '\n', '\r', '\u0000', '\u007F', '"', '%', 'é', '€', '😀');
  fc.assert(
    fc.property(fc.string({ unit }), (text) => {
      expect(refusalOfHeader(`X-Key: ${text}s3cret`)).not.toContain('s3cret');
    }),
  );
});
