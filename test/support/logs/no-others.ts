/** For sites without firewalls and relays. */
export const NO_OTHERS = { firewalls: [], relays: [] };
