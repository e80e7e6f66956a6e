import type { DistinguishedName } from '../../core/certificate.ts';
import { oncePer } from '../../core/once-per.ts';

/** A compiled regular expression that is fast on any text. */
export interface TextPattern {
  test(text: string): boolean;
}

/**
 * An inspection product and how its authorities name themselves. It names the product; it never proves anything by
 * itself.
 */
export interface ProductPattern {
  readonly id: string;
  /** As people call it: `Fortinet FortiGate`. */
  readonly name: string;
  /** Any of these. */
  readonly issuers: readonly IssuerPattern[];
  /** What its block pages say; any of these. */
  readonly pages: readonly TextPattern[];
}

/** All of these: each attribute type must have a value that its (anchored) pattern matches. */
export type IssuerPattern = readonly { readonly type: string; readonly pattern: TextPattern }[];

/** The first product of the catalogue that this name belongs to. */
export function findProduct(products: readonly ProductPattern[], name: DistinguishedName): ProductPattern | null {
  return productsByName(products)(name);
}

const productsByName = oncePer((products: readonly ProductPattern[]) =>
  oncePer(
    (name: DistinguishedName): ProductPattern | null =>
      products.find(({ issuers }) => issuers.some((issuer) => matchesIssuer(issuer, name))) ?? null,
  ),
);

function matchesIssuer(issuer: IssuerPattern, name: DistinguishedName): boolean {
  return issuer.every(({ type, pattern }) =>
    name.attributes.some((attribute) => attribute.type === type && pattern.test(attribute.value)),
  );
}

/** The first product whose block page this text comes from. */
export function findProductOfPage(products: readonly ProductPattern[], text: string): ProductPattern | null {
  return products.find((product) => product.pages.some((pattern) => pattern.test(text))) ?? null;
}
