import { classifyAddress } from './addresses.ts';
import { visibleText } from './visible-text.ts';

/** The answer of a web filter or a captive portal in place of the server. Hostile. */
export interface BlockPageCandidate {
  /** Null for a plain-text answer where TLS was expected. */
  readonly status: number | null;
  /** `Location` header of a response. */
  readonly location: string | null;
  /** Body, or the whole plain-text answer. At most 64 KiB. */
  readonly text: string;
  /** The text that a person would read on the page. At most 512 characters. */
  readonly words: string;
}

/** A compiled regular expression. */
export interface TextPattern {
  test(text: string): boolean;
  /** Returns the first match in the text. */
  find(text: string): string | null;
  /** Must be linear, because the pattern can run on 64 KiB of untrusted text. */
  readonly isLinear: boolean;
}

/** How to recognize the pages of one product. */
export interface PageProduct {
  /** Common name, such as `Fortinet FortiGate`. */
  readonly name: string;
  /** Phrases that are found only on its block pages. Any of them is enough. */
  readonly pages: readonly TextPattern[];
  /** Names that are found both on the product's own pages and on pages about it. Any of them is enough. */
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
 * Phrases on block pages that belong to no particular product. A server that refuses a request can use them as well.
 */
const BLOCK_PAGE =
  /access (?:has been |is |was )?(?:denied|blocked)|web ?page (?:is )?blocked|blocked by|forbidden|url filter|content filter|captive portal/iu;

/** Paths of captive portals: FortiGate's (`/fgtauth?…`) and common ones. */
const PORTAL_PATH = /\/fgtauth\?|[/.](?:captive|captiveportal|hotspot|guestportal|wispr)\b/iu;

/** RFC 6585 §6. */
const NETWORK_AUTHENTICATION_REQUIRED = 511;

/**
 * Recognizes the answer as a block page, or returns null. Administrators edit these pages, so null proves nothing. In
 * an HTTP response only phrases count, because a vendor's own site mentions its products too. No server answers in
 * plain text where TLS was expected, so a mention is enough to identify the product in a plain-text answer.
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

/** Finds the location in a plain-text answer, which includes the header fields. */
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
