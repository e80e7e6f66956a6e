import { classifyAddress } from './addresses.ts';
import { visibleText } from './visible-text.ts';

/** May come from a web filter or captive portal instead of the server. The content is untrusted. */
export interface BlockPageCandidate {
  /** Null for a plain-text response on a connection that should use TLS. */
  readonly status: number | null;
  readonly location: string | null;
  /** Response body, or the whole plain-text response. At most 64 KiB. */
  readonly text: string;
  /** Readable text on the page. At most 512 characters. */
  readonly words: string;
}

export interface TextPattern {
  test(text: string): boolean;
  find(text: string): string | null;
  /** Must be true for patterns that are matched against up to 64 KiB of untrusted text. */
  readonly isLinear: boolean;
}

export interface PageProduct {
  readonly name: string;
  /** Phrases that occur only on the product's block pages. */
  readonly pages: readonly TextPattern[];
  /** Product names, which can also occur on other pages. */
  readonly mentions: readonly TextPattern[];
}

export interface BlockPage {
  readonly kind: 'filter' | 'portal';
  readonly product: string | null;
  readonly quote: string;
}

export function blockPageText({ kind, product }: BlockPage): string {
  if (kind === 'portal') return 'a captive portal page';
  return product === null ? 'a block page' : `a block page from ${product}`;
}

/** Not specific to a product. A server that refuses a request can use the same phrases. */
const BLOCK_PAGE =
  /access (?:has been |is |was )?(?:denied|blocked)|web ?page (?:is )?blocked|blocked by|forbidden|url filter|content filter|captive portal/iu;

/** `/fgtauth?…` on FortiGate, and other common paths. */
const PORTAL_PATH = /\/fgtauth\?|[/.](?:captive|captiveportal|hotspot|guestportal|wispr)\b/iu;

/** RFC 6585 §6 */
const NETWORK_AUTHENTICATION_REQUIRED = 511;

/**
 * A null result proves nothing, because administrators can edit these pages. In an HTTP response, only phrases are
 * evaluated, because a vendor's own site also mentions its products. If TLS was expected, a product name is sufficient,
 * because a server never responds in plain text where TLS is expected.
 */
export function recogniseBlockPage(page: BlockPageCandidate, products: readonly PageProduct[]): BlockPage | null {
  const isPlain = page.status === null;
  return (
    pageOfProduct(page, products, 'pages') ??
    (isPlain ? pageOfProduct(page, products, 'mentions') : null) ??
    portal(page) ??
    (isPlain ? filterOf(null, BLOCK_PAGE.exec(page.words)?.[0] ?? null) : null)
  );
}

function pageOfProduct(
  page: BlockPageCandidate,
  products: readonly PageProduct[],
  patterns: 'pages' | 'mentions',
): BlockPage | null {
  for (const product of products) {
    for (const pattern of product[patterns]) {
      const found = filterOf(product.name, foundIn(page, pattern));
      if (found !== null) return found;
    }
  }
  return null;
}

function foundIn({ text, words }: BlockPageCandidate, pattern: TextPattern): string | null {
  return pattern.find(words) ?? (pattern.isLinear ? pattern.find(text) : null);
}

function filterOf(product: string | null, found: string | null): BlockPage | null {
  return found === null ? null : { kind: 'filter', product, quote: visibleText(found, 100) };
}

function portal({ status, location, text }: BlockPageCandidate): BlockPage | null {
  if (status === NETWORK_AUTHENTICATION_REQUIRED) return { kind: 'portal', product: null, quote: 'HTTP status 511' };
  const target = location ?? locationIn(text);
  return target !== null && leadsToPortal(target)
    ? { kind: 'portal', product: null, quote: `Location: ${visibleText(target, 100)}` }
    : null;
}

/** The text of a plain-text response includes the headers. */
function locationIn(text: string): string | null {
  if (!/^HTTP\/1\.\d 30\d /u.test(text)) return null;
  return /\blocation: *(?<url>\S+)/iu.exec(text)?.groups?.['url'] ?? null;
}

/** A licence server on the internet does not redirect its clients to a private address. */
function leadsToPortal(location: string): boolean {
  if (PORTAL_PATH.test(location)) return true;
  const host = /^https?:\/\/(?:\[(?<v6>[\da-f:]+)\]|(?<v4>[\d.]+))(?:[:/?#]|$)/iu.exec(location)?.groups;
  const address = host?.['v4'] ?? host?.['v6'] ?? null;
  const kind = address === null ? null : classifyAddress(address);
  return kind === 'private' || kind === 'link-local';
}
