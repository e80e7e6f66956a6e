/** The phases of a connection to the licence server, as people read them. */
export const PHASES: Readonly<Record<string, string>> = { dns: 'Name', tcp: 'Connection', tls: 'TLS', http: 'Answer' };
