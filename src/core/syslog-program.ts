/** The APP-NAME of our own lines (RFC 5424 §6.2.5), by which they are known when they come back through a relay. */
export const OWN_PROGRAM = 'ftm-watch';
