import { classifyAddress } from './addresses.ts';

/** What a web filter or a captive portal answers with in the server's place. */
export interface BlockPageCandidate {
  /** null: an answer in plain text where TLS was expected. */
  readonly status: number | null;
  /** The `Location` field of a response. */
  readonly location: string | null;
  /** Body, or the whole plain answer. Hostile. */
  readonly text: string;
}

interface Signature {
  readonly page: string;
  /** As the catalogue of inspection products calls it. */
  readonly product: string;
  readonly pattern: RegExp;
}

/**
 * Default texts of the products' pages, as seen in public test data and captures (OONI and ICLab fingerprints,
 * wafw00f). Whole sentences: a vendor's own site mentions its products too. Administrators edit these pages, so that
 * nothing found proves nothing.
 */
const TEXTS: readonly Signature[] = [
  {
    page: 'FortiGate application control: Application Blocked',
    product: 'Fortinet FortiGate',
    pattern: /attempted to use an application (?:that|which) is in violation of your internet usage policy/iu,
  },
  {
    page: 'FortiGate web filter: Web Page Blocked',
    product: 'Fortinet FortiGate',
    pattern:
      /tried to access a web page (?:that|which) is in violation of your internet usage policy|FortiGuard Intrusion Prevention - Access Blocked|Web Filter (?:Violation|Block Override)/iu,
  },
  {
    page: 'FortiGate: URL blocked',
    product: 'Fortinet FortiGate',
    pattern: /the page you have requested has been blocked because the URL is banned/iu,
  },
  {
    page: 'Zscaler: Website blocked',
    product: 'Zscaler',
    pattern: /Zscaler to protect you from internet threats|Internet Security by Zscaler/iu,
  },
  {
    page: 'Squid: ERR_ACCESS_DENIED',
    product: 'Squid',
    pattern: /\bERR_ACCESS_DENIED\b|access control configuration prevents your request from being allowed/iu,
  },
  {
    page: 'Cisco Umbrella: This site is blocked',
    product: 'Cisco Umbrella',
    pattern:
      /(?:block|malware|phish)\.(?:opendns\.com|sse\.cisco\.com)|This site is blocked due to content filtering/iu,
  },
  {
    page: 'Palo Alto Networks: Web Page Blocked',
    product: 'Palo Alto Networks',
    pattern: /you were trying to visit has been blocked in accordance with company policy/iu,
  },
  {
    page: 'Blue Coat: Access denied by policy',
    product: 'Symantec Blue Coat ProxySG',
    pattern:
      /your request was denied because of its content categorization|your system policy has denied access to the requested URL/iu,
  },
  {
    page: 'WatchGuard: Request denied',
    product: 'WatchGuard Firebox',
    pattern: /Request denied by WatchGuard (?:Firewall|HTTP Proxy)/iu,
  },
  {
    page: 'SonicWall: Web Site Blocked',
    product: 'SonicWall',
    pattern: /SonicWall.{0,80}(?:Web )?site blocked|This site has been blocked by the network administrator/iu,
  },
  {
    page: 'Sophos: Content blocked',
    product: 'Sophos Firewall',
    pattern: /Sophos.{0,200}(?:blocked request|content blocked|has been blocked)/iu,
  },
];

/** Ways of captive portals: FortiGate's (`/fgtauth?…`), and those that most others use. */
const PORTAL_PATH = /\/fgtauth\?|[/.](?:captive|captiveportal|hotspot|guestportal|wispr)\b/iu;

/** RFC 6585 §6. */
const NETWORK_AUTHENTICATION_REQUIRED = 511;

/**
 * What a known filter's page is called (`FortiGate web filter: Web Page Blocked`), null when none is recognised. Works
 * for the body of a response and for the plain text that came where TLS was expected.
 */
export function recogniseBlockPage({ status, location, text }: BlockPageCandidate): string | null {
  const known = TEXTS.find(({ pattern }) => pattern.test(text));
  if (known !== undefined) return known.page;
  if (status === NETWORK_AUTHENTICATION_REQUIRED) return 'Captive portal: sign-in required';
  const target = location ?? locationIn(text);
  return target !== null && leadsToPortal(target) ? 'Captive portal: redirect to a sign-in page' : null;
}

/** The product that a recognised page belongs to; null: a captive portal, which may be anybody's. */
export function productOfBlockPage(page: string): string | null {
  return TEXTS.find((text) => text.page === page)?.product ?? null;
}

/** Of a plain answer, which holds the header fields as well. */
function locationIn(text: string): string | null {
  if (!/^HTTP\/1\.\d 30\d /u.test(text)) return null;
  return /\blocation: *(?<url>\S+)/iu.exec(text)?.groups?.['url'] ?? null;
}

/** A licence server on the internet does not send its clients to a private address. */
function leadsToPortal(location: string): boolean {
  if (PORTAL_PATH.test(location)) return true;
  const host = /^https?:\/\/(?:\[(?<v6>[\da-f:]+)\]|(?<v4>[\d.]+))(?:[:/?#]|$)/iu.exec(location)?.groups;
  const address = host?.['v4'] ?? host?.['v6'] ?? null;
  const kind = address === null ? null : classifyAddress(address);
  return kind === 'private' || kind === 'link-local';
}
