import type { DistinguishedName } from '../../core/certificate.ts';
import type { PageProduct, TextPattern } from '../../core/block-page.ts';
import { oncePer } from '../../core/once-per.ts';

/**
 * An inspection product and how its authorities name themselves. It names the product; it never proves anything by
 * itself.
 */
export interface ProductPattern extends PageProduct {
  readonly id: string;
  /** Any of these. */
  readonly issuers: readonly IssuerPattern[];
}

/** All of these: each attribute type must have a value that its (anchored) pattern matches. */
export type IssuerPattern = readonly { readonly type: string; readonly pattern: Pick<TextPattern, 'test'> }[];

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
