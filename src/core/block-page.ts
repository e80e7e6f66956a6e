import { classifyAddress } from './addresses.ts';
import { visibleText } from './visible-text.ts';

/** A response that a web filter or captive portal may have sent instead of the server. The content is untrusted. */
export interface BlockPageCandidate {
  /** HTTP status. Null for a plain-text response, received where TLS was expected. */
  readonly status: number | null;
  /** `Location` header of a response. */
  readonly location: string | null;
  /** The body, or the whole plain-text response. At most 64 KiB. */
  readonly text: string;
  /** The readable text on the page. At most 512 characters. */
  readonly words: string;
}

/** A compiled regular expression. */
export interface TextPattern {
  test(text: string): boolean;
  /** Returns the first match in the text, or null. */
  find(text: string): string | null;
  /** Must be true, because the pattern can run on 64 KiB of untrusted text. */
  readonly isLinear: boolean;
}

/** Patterns that identify the pages of one product. */
export interface PageProduct {
  /** Common name, for example `Fortinet FortiGate`. */
  readonly name: string;
  /** Phrases that occur only on the product's block pages. A single match is sufficient. */
  readonly pages: readonly TextPattern[];
  /** Product names that also occur on other pages. A single match is sufficient. */
  readonly mentions: readonly TextPattern[];
}

export interface BlockPage {
  readonly kind: 'filter' | 'portal';
  /** Name from the catalogue, or null if unknown. */
  readonly product: string | null;
  /** The matched text. */
  readonly quote: string;
}

/** Returns a phrase such as `a block page of Zscaler`. */
export function blockPageText({ kind, product }: BlockPage): string {
  if (kind === 'portal') return 'the page of a captive portal';
  return product === null ? 'a block page' : `a block page of ${product}`;
}

/**
 * Phrases on block pages that are not specific to a product. A server that refuses a request can use the same phrases.
 */
const BLOCK_PAGE =
  /access (?:has been |is |was )?(?:denied|blocked)|web ?page (?:is )?blocked|blocked by|forbidden|url filter|content filter|captive portal/iu;

/** Paths of captive portals: `/fgtauth?…` on FortiGate, and other common paths. */
const PORTAL_PATH = /\/fgtauth\?|[/.](?:captive|captiveportal|hotspot|guestportal|wispr)\b/iu;

/** HTTP status 511, "Network Authentication Required" (RFC 6585 §6). */
const NETWORK_AUTHENTICATION_REQUIRED = 511;

/**
 * Returns the block page if the response is recognised as one, otherwise null. Administrators edit these pages, so null
 * proves nothing. In an HTTP response, only phrases are evaluated, because a vendor's own site also mentions its
 * products. A server never responds in plain text where TLS is expected. In that case, a product name is sufficient.
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

/** Finds the `Location` in a plain-text response, which includes the header fields. */
function locationIn(text: string): string | null {
  if (!/^HTTP\/1\.\d 30\d /u.test(text)) return null;
  return /\blocation: *(?<url>\S+)/iu.exec(text)?.groups?.['url'] ?? null;
}

/**
 * Reports whether a redirect leads to a captive portal. A licence server on the internet does not redirect its clients
 * to a private address.
 */
function leadsToPortal(location: string): boolean {
  if (PORTAL_PATH.test(location)) return true;
  const host = /^https?:\/\/(?:\[(?<v6>[\da-f:]+)\]|(?<v4>[\d.]+))(?:[:/?#]|$)/iu.exec(location)?.groups;
  const address = host?.['v4'] ?? host?.['v6'] ?? null;
  const kind = address === null ? null : classifyAddress(address);
  return kind === 'private' || kind === 'link-local';
}
