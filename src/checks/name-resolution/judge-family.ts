import type { NameCause } from './causes.ts';
import { authority } from '../../core/authority.ts';
import type { LicenseServerConfig } from '../../sources/path/license-server-section.ts';
import { ofFamily } from '../../core/addresses.ts';
import type { Finding } from '../../engine/finding.ts';
import { shell } from '../../engine/words/step.ts';

/**
 * Whether the name has an address of the family that the configuration asks for; that it has none at all is told by its
 * own finding.
 */
export function judgeFamily(
  { host, port, family }: LicenseServerConfig,
  addresses: readonly string[],
): readonly Finding<NameCause>[] {
  if (family === 'auto' || addresses.length === 0 || ofFamily(addresses, family).length > 0) return [];
  return [
    {
      rule: 'name-has-family',
      subject: authority({ host, port }),
      claim: `${host} has no IPv${String(family)} address.`,
      expected: `An IPv${String(family)} address`,
      actual: addresses.join(', '),
      level: 'broken',
      suggests: 'name-not-found',
      advice: {
        summary: `{host} has no IPv${String(family)} address, and licenseServer.family asks for one.`,
        remedy: [
          `If FortiAuthenticator does not use IPv${String(family)}, set licenseServer.family here to "auto".`,
          shell(
            'Otherwise compare with a public resolver: what only that one gives, a filter on the resolver of this ' +
              'site takes away.',
            'dig @9.9.9.9 {host} A',
            'dig @9.9.9.9 {host} AAAA',
          ),
        ],
      },
    },
  ];
}
