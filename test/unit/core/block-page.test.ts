import { describe, expect, test } from 'vitest';
import { recogniseBlockPage } from '../../../src/core/block-page.ts';
import { cpuMsOf } from '../../support/cpu-time.ts';

function page(text: string, status: number | null = 403, location: string | null = null): string | null {
  return recogniseBlockPage({ status, location, text });
}

describe('recogniseBlockPage', () => {
  test.each([
    [
      '<h3>Web Page Blocked!</h3><p>You have tried to access a web page which is in violation of your internet ' +
        'usage policy.</p>',
      'FortiGate web filter: Web Page Blocked',
    ],
    [
      '<p>You have tried to access a web page that is in violation of your Internet usage policy.</p>',
      'FortiGate web filter: Web Page Blocked',
    ],
    ['<title>Web Filter Violation</title>', 'FortiGate web filter: Web Page Blocked'],
    [
      '<h3>Application Blocked!</h3>You have attempted to use an application which is in violation of your ' +
        'internet usage policy.',
      'FortiGate application control: Application Blocked',
    ],
    ['The page you have requested has been blocked because the URL is banned.', 'FortiGate: URL blocked'],
    ['Your organization has selected Zscaler to protect you from internet threats.', 'Zscaler: Website blocked'],
    ['<div id="content"><!-- ERR_ACCESS_DENIED --></div>', 'Squid: ERR_ACCESS_DENIED'],
    ['<iframe src="https://block.opendns.com/main?url=x">', 'Cisco Umbrella: This site is blocked'],
    [
      'Access to the web page you were trying to visit has been blocked in accordance with company policy.',
      'Palo Alto Networks: Web Page Blocked',
    ],
    ['Your request was denied because of its content categorization: "x"', 'Blue Coat: Access denied by policy'],
    ['Request denied by WatchGuard Firewall.', 'WatchGuard: Request denied'],
    ['This site has been blocked by the network administrator.', 'SonicWall: Web Site Blocked'],
    ['<title>Sophos Firewall - Blocked Request</title>', 'Sophos: Content blocked'],
  ])('recognises %s', (text, expected) => {
    expect(page(text)).toBe(expected);
    expect(page(`HTTP/1.1 403 Forbidden ${text}`, null)).toBe(expected);
  });

  test.each<readonly [string, number | null, string | null, string]>([
    ['the status made for it', 511, null, ''],
    ['a FortiGate portal', 303, 'https://fw.example:1003/fgtauth?0403abcd', ''],
    ['a portal by its name', 302, 'http://captive.example.test/login', ''],
    ['a private address', 302, 'http://10.0.0.1/', ''],
    ['a private IPv6 address', 302, 'http://[fd00::1]:8080/x', ''],
    [
      'plain text where TLS was expected',
      null,
      null,
      'HTTP/1.1 302 Found Location: http://192.168.1.1/portal Content-Length: 0',
    ],
  ])('recognises a captive portal by %s', (_, status, location, text) => {
    expect(page(text, status, location)).toMatch(/^Captive portal/u);
  });

  test.each<readonly [string, number | null, string | null, string]>([
    ['an ordinary refusal', 403, null, '<h1>403 Forbidden</h1> Access is denied.'],
    [
      'a site that speaks of its products',
      200,
      null,
      'FortiGuard Intrusion Prevention Service. Zscaler. Cisco Umbrella. Sophos.',
    ],
    ['a redirect to another public host', 301, 'https://www.fortinet.com/', ''],
    ['a redirect to a public address', 302, 'https://173.243.138.84/', ''],
    ['a relative redirect', 302, '/login', ''],
    ['nothing', 204, null, ''],
    ['a banner', null, null, '220 mail.example.test ESMTP location: http://10.0.0.1/'],
  ])('takes %s for no block page', (_, status, location, text) => {
    expect(page(text, status, location)).toBeNull();
  });

  test('is quick on long hostile text', () => {
    const texts = ['SonicWall', 'Sophos', '<', 'location: '].map((text) => text.repeat(65_536 / text.length));
    expect(cpuMsOf(() => texts.forEach((text) => page(text)))).toBeLessThan(500);
  });
});
