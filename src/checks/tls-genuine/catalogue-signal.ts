import type { DistinguishedName } from '../../core/certificate.ts';
import { formatDistinguishedName } from '../../core/distinguished-name.ts';
import type { ChainCase } from './chain-case.ts';
import { findProduct, type ProductPattern } from './product.ts';
import type { Signal } from './signal.ts';

/**
 * An inspection product's name among the issuers. Only issuers: some products copy their own name into the leaf's
 * subject, and their maker's own web sites carry it there too.
 */
export function catalogueSignal(chain: ChainCase): readonly Signal[] {
  const found = productOf(chain);
  if (found === null) return [];
  return [
    {
      rule: 'issuer-is-no-inspection-product',
      weight: 'witness',
      expected: 'An issuer that is not known as an inspection product',
      actual: `Issued by ${formatDistinguishedName(found.issuer)}, as ${found.product.name} does`,
      product: found.product.name,
    },
  ];
}

function productOf({
  leaf,
  chainTrust,
  evidence,
}: ChainCase): { readonly product: ProductPattern; readonly issuer: DistinguishedName } | null {
  const issuers = [
    leaf.issuer,
    ...chainTrust.path.slice(1).flatMap((authority) => [authority.subject, authority.issuer]),
  ];
  for (const issuer of issuers) {
    const product = findProduct(evidence.products, [issuer]);
    if (product !== null) return { product, issuer };
  }
  return null;
}
