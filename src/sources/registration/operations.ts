/**
 * Everything that is ever asked of the registration service: the token, and two questions. All three are POST by the
 * service's design, and none changes anything there; there is no other way to send a POST in this program's connectors.
 */
export type RegistrationOperation =
  | { readonly kind: 'token'; readonly user: string; readonly password: string }
  | { readonly kind: 'list-license'; readonly license: string; readonly accountId: number | null }
  | { readonly kind: 'product-details'; readonly serial: string };

export interface OperationRequest {
  readonly path: string;
  readonly body: string;
}

/** Path and body as documented: the trailing slash of the token's path matters. */
export function requestOf(operation: RegistrationOperation): OperationRequest {
  switch (operation.kind) {
    case 'token':
      return {
        path: '/api/v1/oauth/token/',
        body: JSON.stringify({
          username: operation.user,
          password: operation.password,
          client_id: 'assetmanagement',
          grant_type: 'password',
        }),
      };
    case 'list-license':
      return {
        path: '/ES/api/registration/v3/licenses/list',
        body: JSON.stringify({
          licenseNumber: operation.license,
          ...(operation.accountId === null ? {} : { accountId: operation.accountId }),
        }),
      };
    case 'product-details':
      return {
        path: '/ES/api/registration/v3/products/details',
        body: JSON.stringify({ serialNumber: operation.serial }),
      };
  }
}
