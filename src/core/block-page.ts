import { classifyAddress } from './addresses.ts';
import { visibleText } from './visible-text.ts';

/** What a web filter or a captive portal answers with in the server's place. Hostile. */
export interface BlockPageCandidate {
  /** null: an answer in plain text where TLS was expected. */
  readonly status: number | null;
  /** The `Location` field of a response. */
  readonly location: string | null;
  /** Body, or the whole plain answer: 64 KiB at most. */
  readonly text: string;
  /** What a person reads of it: 512 characters at most. */
  readonly words: string;
}

/** A compiled regular expression. */
export interface TextPattern {
  test(text: string): boolean;
  /** The first part of the text that matches. */
  find(text: string): string | null;
  /** It may be given 64 KiB of a stranger's text. */
  readonly isLinear: boolean;
}

/** How the pages of one product are recognised. */
export interface PageProduct {
  /** As people call it: `Fortinet FortiGate`. */
  readonly name: string;
  /** Phrases that its block pages have and other pages have not; any of these. */
  readonly pages: readonly TextPattern[];
  /** Names that a page of the product has, and pages about the product too; any of these. */
  readonly mentions: readonly TextPattern[];
}

/** A page that was recognised. */
export interface BlockPage {
  readonly kind: 'filter' | 'portal';
  /** As the catalogue calls it; null: not known. */
  readonly product: string | null;
  /** By what it was recognised. */
  readonly quote: string;
}

/** As in `a block page of Zscaler`. */
export function blockPageText({ kind, product }: BlockPage): string {
  if (kind === 'portal') return 'the page of a captive portal';
  return product === null ? 'a block page' : `a block page of ${product}`;
}

/** Words of block pages that no product is known for. A server that refuses a request may use them as well. */
const BLOCK_PAGE =
  /access (?:has been |is |was )?(?:denied|blocked)|web ?page (?:is )?blocked|blocked by|forbidden|url filter|content filter|captive portal/iu;

/** Ways of captive portals: FortiGate's (`/fgtauth?…`), and those that most others use. */
const PORTAL_PATH = /\/fgtauth\?|[/.](?:captive|captiveportal|hotspot|guestportal|wispr)\b/iu;

/** RFC 6585 §6. */
const NETWORK_AUTHENTICATION_REQUIRED = 511;

/**
 * The block page that an answer is, null when none is recognised: administrators edit these pages, so that nothing
 * found proves nothing. In a response only phrases count, since a vendor's own site mentions its products too; no
 * server answers in plain text where TLS was expected, so that a mention names the product there.
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
