/** From this machine to the licence server, and so probably of FortiAuthenticator's way too. */
export const PATH: readonly string[] = ['internet', 'name-resolution', 'reachability', 'tls-genuine', 'license-server'];
